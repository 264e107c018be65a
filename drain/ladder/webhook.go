package ladder

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const (
	webhookTimeout = 5 * time.Second
	// webhookDrains is how much of an answer is read so that the connection can be used again.
	webhookDrains = 64 << 10
)

// Webhook is a Notifier that posts the Notice as JSON. An answer of 300 or more is an error, and a redirect is such an
// answer: the notice goes where it was sent. Errors name the URL's host only, because path and query often hold a token.
type Webhook struct {
	URL string
	// Client is http.DefaultClient if it is nil.
	Client *http.Client
}

// Notify posts the notice, and gives up after five seconds.
func (w Webhook) Notify(ctx context.Context, notice Notice) error {
	target, err := url.Parse(w.URL)
	if err != nil || target.Host == "" || target.Scheme != "https" && target.Scheme != "http" {
		return errors.New("webhook: its URL is no http or https URL") // the parser's error repeats all of it
	}
	body, err := json.Marshal(notice)
	if err != nil {
		return fmt.Errorf("webhook at %s: %w", target.Host, err)
	}
	ctx, cancel := context.WithTimeout(ctx, webhookTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("webhook at %s: the request could not be made", target.Host)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := w.client().Do(request)
	if err != nil {
		return fmt.Errorf("webhook at %s: %w", target.Host, withoutURL(err))
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, webhookDrains))
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("webhook at %s answered %d %s", target.Host, response.StatusCode, http.StatusText(response.StatusCode))
	}
	return nil
}

func (w Webhook) client() *http.Client {
	client := http.Client{}
	if w.Client != nil {
		client = *w.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// withoutURL takes off what net/http puts around each error.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}
