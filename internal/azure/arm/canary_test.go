package arm_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	azlog "github.com/Azure/azure-sdk-for-go/sdk/azcore/log"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/azure/capacity"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// canaries are secrets that can be recognised, and what came of them on the way.
type canaries struct {
	mu   sync.Mutex
	seen map[string]string
}

func (c *canaries) add(what, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[text] = what
}

// in are the canaries that a text tells, in any of the ways a text travels.
func (c *canaries) in(text string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for secret, what := range c.seen {
		for how, form := range map[string]string{
			"as it is": secret, "in a URL": url.QueryEscape(secret), "in base64": base64.StdEncoding.EncodeToString([]byte(secret)), "in hex": fmt.Sprintf("%x", secret),
		} {
			if strings.Contains(text, form) {
				out = append(out, what+" "+how)
			}
		}
	}
	return out
}

// sdkLog is everything the SDK would log.
type sdkLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *sdkLog) write(event azlog.Event, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(&l.text, event, text)
}

func (l *sdkLog) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}

// told is a value in every way in which this program writes values: messages, status, events and logs.
func told(t *testing.T, value any) string {
	t.Helper()
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v %+v %#v %s\n", value, value, value, value)
	if text, err := json.Marshal(value); err == nil {
		out.Write(text)
	}
	for _, handler := range []slog.Handler{
		slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.Level(-1000)}), slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.Level(-1000)}),
	} {
		slog.New(handler).Debug("it is", "value", value)
	}
	if err, ok := value.(error); ok {
		for ; err != nil; err = errors.Unwrap(err) {
			fmt.Fprintf(&out, "%v %+v %#v\n", err, err, err)
			status, jsonErr := json.Marshal(metav1.Condition{Message: err.Error()})
			if jsonErr != nil {
				t.Fatal(jsonErr)
			}
			out.Write(status)
		}
	}
	return out.String()
}

// echo repeats whatever it was sent, as a proxy in debug mode does.
func echo(r *http.Request, form url.Values) string {
	text := "received Authorization " + r.Header.Get("Authorization") + " and " + form.Encode()
	for name := range form {
		text += " " + name + " is " + form.Get(name) + ";"
	}
	return text
}

// misbehaviours are ways in which the sign-in, or Azure behind it, may answer. honest are those that repeat nothing.
var misbehaviours = map[string]struct {
	honest bool
	answer func(w http.ResponseWriter, r *http.Request, form url.Values) bool
}{
	"all is well": {true, func(http.ResponseWriter, *http.Request, url.Values) bool { return false }},
	"the sign-in refuses": {true, func(w http.ResponseWriter, _ *http.Request, form url.Values) bool {
		if form == nil {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}`)
		return true
	}},
	"the sign-in refuses and repeats": {false, func(w http.ResponseWriter, r *http.Request, form url.Values) bool {
		if form == nil {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": "invalid_request: " + echo(r, form), "error_description": echo(r, form) + "\n" + echo(r, form), "more": echo(r, form)})
		return true
	}},
	"a proxy answers for the sign-in": {false, func(w http.ResponseWriter, r *http.Request, form url.Values) bool {
		if form == nil {
			return false
		}
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<html>"+echo(r, form)+"</html>")
		return true
	}},
	"the sign-in answers nonsense": {false, func(w http.ResponseWriter, r *http.Request, form url.Values) bool {
		if form == nil {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token": [`+echo(r, form))
		return true
	}},
	"the sign-in breaks off": {true, func(_ http.ResponseWriter, _ *http.Request, form url.Values) bool {
		if form == nil {
			return false
		}
		panic(http.ErrAbortHandler)
	}},
	"Azure refuses and repeats": {false, func(w http.ResponseWriter, r *http.Request, form url.Values) bool {
		if form != nil || r.Header.Get("Authorization") == "" {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{
			"code": echo(r, form), "message": "does not have authorization to perform action '" + r.Header.Get("Authorization") + "' over scope '" + echo(r, form) + "'",
		}})
		return true
	}},
	"Azure answers nonsense": {false, func(w http.ResponseWriter, r *http.Request, form url.Values) bool {
		if form != nil || r.Header.Get("Authorization") == "" {
			return false
		}
		_, _ = io.WriteString(w, "{"+echo(r, form))
		return true
	}},
}

// TestNoSecretIsTold puts secrets that can be recognised through every way to sign in and every way in which that may fail, and looks for
// them in all that comes back.
func TestNoSecretIsTold(t *testing.T) {
	a := newAzure(t)
	d := newDoor(t, a.server)
	log := &sdkLog{}
	azlog.SetListener(log.write)
	t.Cleanup(func() { azlog.SetListener(nil) })
	const text = "canary~of+the/client=secret"
	assertion := "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(`{"canary":"of the token of the service account"}`)) + ".c2lnbmF0dXJl"
	pem := certificate(t)
	_, private, _ := strings.Cut(pem, "PRIVATE KEY")
	key := strings.Split(private, "\n")[3]
	for name, make := range map[string]func(t *testing.T, m *management) capi.Cluster{
		"a client secret": func(_ *testing.T, m *management) capi.Cluster {
			m.secret("shop", map[string]string{"clientSecret": text})
			return m.capz("shop", identitySpec("ServicePrincipal", other, secretRef("shop")))
		},
		"a certificate": func(_ *testing.T, m *management) capi.Cluster {
			m.secret("shop", map[string]string{"certificate": pem, "password": text})
			return m.capz("shop", identitySpec("ServicePrincipalCertificate", other, secretRef("shop")))
		},
		"a certificate that is none": func(_ *testing.T, m *management) capi.Cluster {
			m.secret("shop", map[string]string{"certificate": text, "password": text})
			return m.capz("shop", identitySpec("ServicePrincipalCertificate", other, secretRef("shop")))
		},
		"a certificate in a file": func(t *testing.T, m *management) capi.Cluster {
			return m.capz("shop", identitySpec("ServicePrincipalCertificate", other, map[string]any{"certPath": write(t, pem)}))
		},
		"a file of somebody else's": func(t *testing.T, m *management) capi.Cluster {
			return m.capz("shop", identitySpec("UserAssignedIdentityCredential", other, map[string]any{"userAssignedIdentityCredentialsPath": write(t, text)}))
		},
		"a workload identity": func(t *testing.T, m *management) capi.Cluster {
			t.Setenv("AZURE_FEDERATED_TOKEN_FILE", write(t, assertion))
			return m.capz("shop", identitySpec("WorkloadIdentity", other, nil))
		},
		"a Secret of Azure Service Operator": func(_ *testing.T, m *management) capi.Cluster {
			m.secret("mine", map[string]string{"AZURE_SUBSCRIPTION_ID": subscription, "AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": other, "AZURE_CLIENT_SECRET": text})
			return m.aso("shop", "mine")
		},
		"a Secret of Azure Service Operator with everything in the wrong place": func(_ *testing.T, m *management) capi.Cluster {
			m.secret("mine", map[string]string{"AZURE_SUBSCRIPTION_ID": text, "AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": other, "AUTH_MODE": text})
			return m.aso("shop", "mine")
		},
		"a Secret of Azure Service Operator with half a cloud": func(_ *testing.T, m *management) capi.Cluster {
			m.secret("mine", map[string]string{"AZURE_SUBSCRIPTION_ID": text, "AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": other, "AZURE_AUTHORITY_HOST": "https://" + text})
			return m.aso("shop", "mine")
		},
		"the operator's own secret": func(t *testing.T, m *management) capi.Cluster {
			t.Setenv("AZURE_TENANT_ID", tenant)
			t.Setenv("AZURE_CLIENT_ID", other)
			t.Setenv("AZURE_CLIENT_SECRET", text)
			return m.capz("shop", nil)
		},
		"the operator's own certificate": func(t *testing.T, m *management) capi.Cluster {
			t.Setenv("AZURE_TENANT_ID", tenant)
			t.Setenv("AZURE_CLIENT_ID", other)
			t.Setenv("AZURE_CLIENT_CERTIFICATE_PATH", write(t, pem))
			t.Setenv("AZURE_CLIENT_CERTIFICATE_PASSWORD", text)
			return m.capz("shop", nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for how, misbehaviour := range misbehaviours {
				noIdentity(t)
				m := newManagement(t)
				cluster := make(t, m)
				found := &canaries{seen: map[string]string{text: "the secret", assertion: "the token", key: "the private key"}}
				d.said(func(w http.ResponseWriter, r *http.Request, form url.Values) bool {
					for what, value := range map[string]string{"the assertion": form.Get("client_assertion"), "the access token": strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")} {
						if value != "" {
							found.add(what, value)
						}
					}
					return misbehaviour.answer(w, r, form)
				})
				out := canaryRun(t, d.options(a), m, cluster)
				if leaks := found.in(out); len(leaks) > 0 {
					t.Errorf("%s: it tells %q in\n%s", how, leaks, out)
				}
				if logged := log.take(); misbehaviour.honest {
					if leaks := found.in(logged); len(leaks) > 0 {
						t.Errorf("%s: the SDK logs %q in\n%s", how, leaks, logged)
					}
				}
			}
			// And where nobody answers at all.
			noIdentity(t)
			m := newManagement(t)
			o := d.options(a)
			o.AuthorityHost = "https://127.0.0.1:1/"
			cluster := make(t, m)
			found := &canaries{seen: map[string]string{text: "the secret", assertion: "the token", key: "the private key"}}
			if leaks := found.in(canaryRun(t, o, m, cluster) + log.take()); len(leaks) > 0 {
				t.Errorf("nobody answers: it tells %q", leaks)
			}
		})
	}
}

// canaryRun asks Azure for a cluster and is all that comes of it.
func canaryRun(t *testing.T, o arm.Options, m *management, cluster capi.Cluster) string {
	t.Helper()
	var out strings.Builder
	say := func(values ...any) {
		for _, v := range values {
			if v != nil {
				out.WriteString(told(t, v))
			}
		}
	}
	say(o, cluster)
	all, err := arm.NewClients(o, m.Client)
	say(all, err)
	if err != nil {
		return out.String()
	}
	i, err := cluster.Identity(t.Context(), m.Client)
	say(i, err)
	c, err := all.For(t.Context(), cluster)
	say(c, err)
	if err != nil {
		return out.String()
	}
	say(*c)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	answer, err := c.Capacity(ctx, query())
	say(answer, err)
	_, limit := capacity.Nodes(query(), answer, capacity.Addresses{})
	say(limit, c.DeleteMachines(ctx, poolID, []string{"x"}))
	_, _, err = c.CountNodes(ctx, poolID)
	say(err)
	cancel()
	say(c.DeleteMachines(ctx, poolID, []string{"x"}))
	return out.String()
}
