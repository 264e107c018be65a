package identity_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/yaml"

	"github.com/fleetwright/fleetwright/internal/azure/identity"
)

// TestSecretIsNotPrinted: whatever prints a Secret, or what holds one, does not print its text.
func TestSecretIsNotPrinted(t *testing.T) {
	const canary = "canary-of-the-secret"
	secret := identity.NewSecret(canary)
	type hidden struct{ inner identity.Secret }
	for name, holder := range map[string]any{
		"itself": secret, "a pointer": &secret, "an identity": identity.Identity{Secret: secret, Password: secret}, "an unexported field": hidden{secret},
		"a map": map[string]any{"x": secret}, "a list": []identity.Secret{secret}, "a step": identity.Step{Identity: identity.Identity{Secret: secret}},
	} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb, holder)
		}
		fmt.Fprintln(&out, holder, fmt.Errorf("because of %v", holder))
		for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
			text, err := marshal(holder)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			out.Write(text)
		}
		for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
			logr.FromSlogHandler(handler).Info("message", "holder", holder)
		}
		if hex := fmt.Sprintf("%x", canary); strings.Contains(out.String(), canary) || strings.Contains(out.String(), hex) {
			t.Errorf("%s tells it: %s", name, out.String())
		}
	}
	if secret.Reveal() != canary {
		t.Errorf("it reveals %q", secret.Reveal())
	}
}

func TestSecretHidesItself(t *testing.T) {
	for name, tc := range map[string]struct{ secret, text, want string }{
		"in a message": {"s3cret-value", "wrong password s3cret-value, s3cret-value!", "wrong password (hidden), (hidden)!"},
		"in a form":    {"s3cret+/value", "client_secret=s3cret%2B%2Fvalue&x=y", "client_secret=(hidden)&x=y"},
		"empty":        {"", "nothing", "nothing"},
		"too short":    {"a", "a cat", "a cat"},
	} {
		if got := identity.NewSecret(tc.secret).Hide(tc.text); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
