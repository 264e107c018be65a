package entra_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	testclock "k8s.io/utils/clock/testing"

	"github.com/fleetwright/fleetwright/internal/azure/sim/entra"
)

const (
	tenant = "33333333-3333-3333-3333-333333333333"
	client = "44444444-4444-4444-4444-444444444444"
)

func ask(i *entra.Issuer, method, path string, form url.Values) (int, map[string]any) {
	r := httptest.NewRequest(method, "https://login.microsoftonline.com"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	i.ServeHTTP(w, r)
	var body map[string]any
	_ = json.Unmarshal(w.Body.Bytes(), &body)
	return w.Code, body
}

func good() url.Values {
	return url.Values{
		"grant_type": {"client_credentials"}, "client_id": {client}, "client_secret": {"x"},
		"scope": {"https://management.azure.com/.default openid offline_access profile"},
	}
}

func TestToken(t *testing.T) {
	clock := testclock.NewFakeClock(time.Unix(1_800_000_000, 0))
	i := entra.New([]byte("key"), clock)
	for name, change := range map[string]func(url.Values){
		"secret":    func(url.Values) {},
		"assertion": func(f url.Values) { f.Del("client_secret"); f.Set("client_assertion", "a.b.c") },
	} {
		t.Run(name, func(t *testing.T) {
			form := good()
			change(form)
			status, body := ask(i, "POST", "/"+tenant+"/oauth2/v2.0/token", form)
			token, _ := body["access_token"].(string)
			if status != http.StatusOK || body["token_type"] != "Bearer" || body["expires_in"] != float64(86400) {
				t.Fatalf("answered %d %v", status, body)
			}
			claims, err := i.Verify("Bearer " + token)
			if err != nil || claims.Audience != "https://management.azure.com" || claims.Tenant != tenant || claims.Client != client {
				t.Errorf("claims %+v %v", claims, err)
			}
			if _, err := entra.New([]byte("another key"), clock).Verify("Bearer " + token); err == nil {
				t.Error("another issuer takes the token")
			}
			late := entra.New([]byte("key"), testclock.NewFakeClock(clock.Now().Add(entra.Lifetime)))
			if _, err := late.Verify("Bearer " + token); !errors.Is(err, entra.ErrExpired) {
				t.Errorf("an old token gives %v", err)
			}
		})
	}
}

func TestTokenRefused(t *testing.T) {
	i := entra.New([]byte("key"), testclock.NewFakeClock(time.Unix(1_800_000_000, 0)))
	for name, test := range map[string]struct {
		change func(url.Values)
		want   string
	}{
		"grant":      {func(f url.Values) { f.Set("grant_type", "password") }, "unsupported_grant_type"},
		"client":     {func(f url.Values) { f.Set("client_id", "me") }, "unauthorized_client"},
		"no secret":  {func(f url.Values) { f.Del("client_secret") }, "invalid_client"},
		"no scope":   {func(f url.Values) { f.Del("scope") }, "invalid_scope"},
		"bare scope": {func(f url.Values) { f.Set("scope", "https://management.azure.com") }, "invalid_scope"},
	} {
		t.Run(name, func(t *testing.T) {
			form := good()
			test.change(form)
			status, body := ask(i, "POST", "/"+tenant+"/oauth2/v2.0/token", form)
			if status < 400 || status > 401 || body["error"] != test.want || !strings.HasPrefix(body["error_description"].(string), "AADSTS") {
				t.Errorf("answered %d %v", status, body)
			}
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	i := entra.New([]byte("key"), testclock.NewFakeClock(time.Unix(1_800_000_000, 0)))
	for _, header := range []string{"", "Bearer", "Basic eDp5", "Bearer x", "Bearer a.b.c", "Bearer ..", "Bearer e30.e30."} {
		if _, err := i.Verify(header); err == nil {
			t.Errorf("%q is taken", header)
		}
	}
}

func TestDiscovery(t *testing.T) {
	i := entra.New([]byte("key"), testclock.NewFakeClock(time.Unix(1_800_000_000, 0)))
	_, body := ask(i, "GET", "/common/discovery/instance", nil)
	if body["tenant_discovery_endpoint"] != "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration" {
		t.Errorf("instance discovery: %v", body)
	}
	_, body = ask(i, "GET", "/"+tenant+"/v2.0/.well-known/openid-configuration", nil)
	if body["token_endpoint"] != "https://login.microsoftonline.com/"+tenant+"/oauth2/v2.0/token" {
		t.Errorf("configuration: %v", body)
	}
	if status, _ := ask(i, "DELETE", "/"+tenant+"/oauth2/v2.0/token", nil); status != http.StatusNotFound {
		t.Errorf("DELETE is answered %d", status)
	}
	for path, want := range map[string]bool{
		"/common/discovery/instance": true, "/t/oauth2/v2.0/token": true, "/t/discovery/v2.0/keys": true, "/t/v2.0/.well-known/openid-configuration": true,
		"/subscriptions/s/resourceGroups": false, "/simulator/faults": false,
	} {
		if got := entra.Serves(path); got != want {
			t.Errorf("Serves(%s) is %v", path, got)
		}
	}
}
