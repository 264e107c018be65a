package app

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fleetwright/fleetwright/drain/ladder"
)

// The URL of a webhook holds a token as often as not: a wrong one is refused
// without being repeated.
func TestDrainWebhookIsChecked(t *testing.T) {
	file := func(content string) string {
		path := filepath.Join(t.TempDir(), "url")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, test := range map[string]struct {
		options Options
		says    string
		some    bool
	}{
		"none":             {Options{}, "", false},
		"a URL":            {Options{DrainWebhookURL: "https://hooks.test/s3cret"}, "", true},
		"a file":           {Options{DrainWebhookURLFile: file("https://hooks.test/s3cret\n")}, "", true},
		"both":             {Options{DrainWebhookURL: "https://hooks.test/s3cret", DrainWebhookURLFile: file("x")}, "both set", false},
		"no URL":           {Options{DrainWebhookURL: "s3cret"}, "--drain-webhook-url: it is no http", false},
		"another scheme":   {Options{DrainWebhookURL: "file:///s3cret"}, "--drain-webhook-url: it is no http", false},
		"no file":          {Options{DrainWebhookURLFile: filepath.Join(t.TempDir(), "missing")}, "--drain-webhook-url-file: open", false},
		"no URL in a file": {Options{DrainWebhookURLFile: file("s3cret")}, "--drain-webhook-url-file: content of", false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := test.options.notifier()
			if (got != nil) != test.some || (err == nil) != (test.says == "") {
				t.Fatalf("notifier() = %v, %v", got, err)
			}
			if err != nil && (!strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "s3cret")) {
				t.Errorf("it says %v", err)
			}
		})
	}
}

// A Secret that is rotated counts from the next notice on.
func TestDrainWebhookFollowsItsFile(t *testing.T) {
	told := ""
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told += r.URL.Path + " " }))
	defer server.Close()
	path := filepath.Join(t.TempDir(), "url")
	for _, token := range []string{"/first", "/second"} {
		if err := os.WriteFile(path, []byte(server.URL+token), 0o600); err != nil {
			t.Fatal(err)
		}
		notifier, err := (&Options{DrainWebhookURLFile: path}).notifier()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(server.URL+token+"/rotated\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := notifier.Notify(t.Context(), ladder.Notice{}); err != nil {
			t.Fatal(err)
		}
	}
	if told != "/first/rotated /second/rotated " {
		t.Errorf("it told %s", told)
	}
}
