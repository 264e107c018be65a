// Package entra is the token endpoint of the simulator: the three addresses of Microsoft Entra ID that the Azure SDKs
// ask before they talk to Azure Resource Manager with a service principal or a federated token.
package entra

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
	"k8s.io/utils/clock"
)

// Lifetime is how long a token is good for.
const Lifetime = 24 * time.Hour

const tokenPath = "/oauth2/v2.0/token"

var (
	tenantPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$`)
	guidPattern   = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// Issuer answers token requests and recognises its own tokens. Every service principal with a well-formed client id
// and a non-empty secret or assertion gets a token: the simulator knows no directory.
type Issuer struct {
	key   []byte
	clock clock.PassiveClock
}

// Claims is what a token says about its bearer.
type Claims struct {
	Audience string `json:"aud"`
	Issuer   string `json:"iss"`
	Tenant   string `json:"tid"`
	Client   string `json:"appid"`
	Object   string `json:"oid"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// New builds an Issuer. Tokens are signed with key, so tokens outlive a restart with the same key.
func New(key []byte, clock clock.PassiveClock) *Issuer { return &Issuer{key: key, clock: clock} }

// Serves tells whether a path belongs to the token endpoint.
func Serves(path string) bool {
	return strings.HasSuffix(path, "/discovery/instance") || strings.HasSuffix(path, "/.well-known/openid-configuration") ||
		strings.HasSuffix(path, tokenPath) || strings.HasSuffix(path, "/discovery/v2.0/keys")
}

// ServeHTTP answers instance discovery, the OpenID configuration, the (empty) key list and token requests.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tenant, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if !tenantPattern.MatchString(tenant) {
		refuse(w, http.StatusBadRequest, "invalid_request", "AADSTS90002", fmt.Sprintf("Tenant '%s' not found.", tenant))
		return
	}
	base := "https://" + r.Host + "/" + tenant
	switch {
	case rest == "discovery/instance" && r.Method == http.MethodGet:
		// MSAL asks this on /common and then wants the metadata of exactly the host it was given.
		answer(w, map[string]any{
			"tenant_discovery_endpoint": base + "/v2.0/.well-known/openid-configuration",
			"api-version":               "1.1",
			"metadata":                  []any{map[string]any{"preferred_network": r.Host, "preferred_cache": r.Host, "aliases": []string{r.Host}}},
		})
	case rest == "v2.0/.well-known/openid-configuration" && r.Method == http.MethodGet:
		answer(w, map[string]any{
			"token_endpoint":         base + tokenPath,
			"authorization_endpoint": base + "/oauth2/v2.0/authorize",
			"issuer":                 base + "/v2.0",
			"jwks_uri":               base + "/discovery/v2.0/keys",
		})
	case rest == "discovery/v2.0/keys" && r.Method == http.MethodGet:
		answer(w, map[string]any{"keys": []any{}})
	case "/"+rest == tokenPath && r.Method == http.MethodPost:
		i.token(w, r, tenant)
	default:
		refuse(w, http.StatusNotFound, "invalid_request", "AADSTS900144", "the simulator does not answer "+r.Method+" "+r.URL.Path)
	}
}

func (i *Issuer) token(w http.ResponseWriter, r *http.Request, tenant string) {
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", "AADSTS900144", "the request body is not a form")
		return
	}
	form := r.PostForm
	if form.Get("grant_type") != "client_credentials" {
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "AADSTS70003", "the simulator only knows the grant type client_credentials")
		return
	}
	client := form.Get("client_id")
	if !guidPattern.MatchString(client) {
		refuse(w, http.StatusBadRequest, "unauthorized_client", "AADSTS700016", fmt.Sprintf("Application with identifier '%s' was not found in the directory.", client))
		return
	}
	if form.Get("client_secret") == "" && form.Get("client_assertion") == "" {
		refuse(w, http.StatusUnauthorized, "invalid_client", "AADSTS7000216", "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.")
		return
	}
	resource, ok := strings.CutSuffix(firstScope(form.Get("scope")), "/.default")
	if !ok {
		refuse(w, http.StatusBadRequest, "invalid_scope", "AADSTS1002012", "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.")
		return
	}
	now := i.clock.Now()
	answer(w, map[string]any{
		"token_type":     "Bearer",
		"expires_in":     int(Lifetime.Seconds()),
		"ext_expires_in": int(Lifetime.Seconds()),
		"access_token": i.sign(Claims{
			Audience: resource, Issuer: "https://sts.windows.net/" + tenant + "/", Tenant: tenant,
			Client: client, Object: ObjectID(client), IssuedAt: now.Unix(), Expires: now.Add(Lifetime).Unix(),
		}),
	})
}

// ObjectID is the object id of the service principal of an application, by which roles are assigned to it. It is another one
// than the application's id, as in Entra.
func ObjectID(client string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("service principal of "+strings.ToLower(client))).String()
}

// firstScope drops the openid scopes that MSAL appends.
func firstScope(scopes string) string {
	for s := range strings.FieldsSeq(scopes) {
		if strings.Contains(s, "/") {
			return s
		}
	}
	return ""
}

func (i *Issuer) sign(c Claims) string {
	payload, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and integers always marshal
	}
	signed := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(payload)
	return signed + "." + encode(i.mac(signed))
}

func (i *Issuer) mac(signed string) []byte {
	m := hmac.New(sha256.New, i.key)
	m.Write([]byte(signed))
	return m.Sum(nil)
}

// ErrExpired tells a token of ours that is too old from anything else that is wrong.
var ErrExpired = errors.New("the access token has expired")

// Verify reads the value of an Authorization header. It fails with ErrExpired, or with another error when the header
// holds no bearer token of this issuer.
func (i *Issuer) Verify(header string) (Claims, error) {
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return Claims{}, errors.New("the Authorization header holds no bearer token")
	}
	at := strings.LastIndexByte(token, '.')
	if at < 0 {
		return Claims{}, errors.New("the bearer token is not a JSON web token")
	}
	signature, err := base64.RawURLEncoding.DecodeString(token[at+1:])
	if err != nil || !hmac.Equal(signature, i.mac(token[:at])) {
		return Claims{}, errors.New("the bearer token was not issued here")
	}
	_, payload, _ := strings.Cut(token[:at], ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return Claims{}, fmt.Errorf("decode the token's claims: %w", err)
	}
	var c Claims
	if err := json.Unmarshal(raw, &c); err != nil {
		return Claims{}, fmt.Errorf("read the token's claims: %w", err)
	}
	if i.clock.Now().Unix() >= c.Expires {
		return c, ErrExpired
	}
	return c, nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func answer(w http.ResponseWriter, body any) { write(w, http.StatusOK, body) }

func refuse(w http.ResponseWriter, status int, kind, code, message string) {
	write(w, status, map[string]any{"error": kind, "error_description": code + ": " + message, "error_codes": []string{code}})
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may have gone away
}
