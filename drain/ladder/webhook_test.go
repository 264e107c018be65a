package ladder

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestWebhookPostsTheNotice(t *testing.T) {
	var body, contentType, path string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		body, contentType, path = string(raw), r.Header.Get("Content-Type"), r.Method+" "+r.URL.String()
	}))
	defer server.Close()
	notice := Notice{Version: NoticeVersion, Type: EventReason, Pod: "shop/cart-1", Time: noon}
	if err := (Webhook{URL: server.URL + "/T0/secret?token=hush"}).Notify(t.Context(), notice); err != nil {
		t.Fatal(err)
	}
	if contentType != "application/json" || path != "POST /T0/secret?token=hush" || !strings.Contains(body, `"pod":"shop/cart-1"`) {
		t.Errorf("got %s with %s: %s", path, contentType, body)
	}
}

// secretURL has a secret wherever a URL can have one.
func secretURL(base string) string {
	return strings.Replace(base, "://", "://hush:hush@", 1) + "/hush?token=hush#hush"
}

func TestWebhookErrorsNameTheHostOnly(t *testing.T) {
	var redirected bool
	handlers := map[string]http.HandlerFunc{
		"refused": func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "no "+r.URL.String(), http.StatusForbidden)
		},
		"redirected": func(w http.ResponseWriter, r *http.Request) {
			redirected = redirected || r.URL.Path == "/elsewhere"
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		},
		"cut off": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	wants := map[string]string{
		"refused": " answered 403 Forbidden", "redirected": " answered 307 Temporary Redirect", "cut off": ": EOF",
	}
	for name, handler := range handlers {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(handler)
			defer server.Close()
			host := strings.TrimPrefix(server.URL, "http://")
			err := Webhook{URL: secretURL(server.URL), Client: server.Client()}.Notify(t.Context(), Notice{})
			if want := "webhook at " + host + wants[name]; err == nil || err.Error() != want {
				t.Errorf("Notify() = %v, want %s", err, want)
			}
		})
	}
	if redirected {
		t.Error("the notice went elsewhere")
	}
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	err := Webhook{URL: secretURL(server.URL)}.Notify(t.Context(), Notice{})
	if err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), strings.TrimPrefix(server.URL, "http://")) {
		t.Errorf("Notify() to a closed port = %v", err)
	}
	for _, bad := range []string{"", "hush", "ftp://hush/hush", "https:///hush", "http://host:hush/", "https://host/%zzhush", "http://ho st/hush", "http://host/\nhush"} {
		if err := (Webhook{URL: bad}).Notify(t.Context(), Notice{}); err == nil || err.Error() != "webhook: its URL is no http or https URL" {
			t.Errorf("Notify() to %q = %v", bad, err)
		}
	}
}

// patient answers only when the request is given up, and tells how long the request would have been waited for.
type patient struct{ left time.Duration }

func (p *patient) RoundTrip(r *http.Request) (*http.Response, error) {
	deadline, _ := r.Context().Deadline()
	p.left = time.Until(deadline)
	return nil, context.DeadlineExceeded
}

func TestWebhookIsGivenUpAfterFiveSeconds(t *testing.T) {
	transport := &patient{}
	err := Webhook{URL: secretURL("https://hooks.example.com"), Client: &http.Client{Transport: transport}}.Notify(t.Context(), Notice{})
	if !errors.Is(err, context.DeadlineExceeded) || err.Error() != "webhook at hooks.example.com: context deadline exceeded" {
		t.Errorf("Notify() = %v", err)
	}
	if transport.left <= 0 || transport.left > 5*time.Second {
		t.Errorf("the request had %s left", transport.left)
	}
}
