package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/fleetwright/fleetwright/drain/ladder"
)

var (
	errTwoWebhooks = errors.New("--drain-webhook-url and --drain-webhook-url-file are both set: choose one")
	errNoURL       = errors.New("it is no http or https URL")
)

// notifier tells the webhook of blocked drains; nil when there is none. What is in
// its URL is a secret: no error repeats more than its host.
func (o *Options) notifier() (ladder.Notifier, error) {
	switch {
	case o.DrainWebhookURL != "" && o.DrainWebhookURLFile != "":
		return nil, errTwoWebhooks
	case o.DrainWebhookURL != "":
		if !isURL(o.DrainWebhookURL) {
			return nil, fmt.Errorf("--drain-webhook-url: %w", errNoURL)
		}
		return ladder.Webhook{URL: o.DrainWebhookURL}, nil
	case o.DrainWebhookURLFile != "":
		file := webhookFile(o.DrainWebhookURLFile)
		if _, err := file.read(); err != nil {
			return nil, fmt.Errorf("--drain-webhook-url-file: %w", err)
		}
		return file, nil
	}
	return nil, nil
}

func isURL(s string) bool {
	parsed, err := url.Parse(s)
	return err == nil && parsed.Host != "" && (parsed.Scheme == "https" || parsed.Scheme == "http")
}

// webhookFile is a file with the URL of a webhook. It is read for each notice, so
// that a Secret that is mounted may change.
type webhookFile string

func (f webhookFile) read() (string, error) {
	raw, err := os.ReadFile(string(f))
	if err != nil {
		return "", err
	}
	address := string(bytes.TrimSpace(raw))
	if !isURL(address) {
		return "", fmt.Errorf("content of %s: %w", string(f), errNoURL)
	}
	return address, nil
}

// Notify posts the notice to the URL that the file holds now.
func (f webhookFile) Notify(ctx context.Context, notice ladder.Notice) error {
	address, err := f.read()
	if err != nil {
		return fmt.Errorf("read the webhook's URL: %w", err)
	}
	return ladder.Webhook{URL: address}.Notify(ctx, notice)
}
