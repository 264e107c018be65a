package loopback

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"testing"
)

func TestServerIsReachedByURLWithItsOwnAuthority(t *testing.T) {
	server, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	host, _, err := net.SplitHostPort(server.listener.Addr().String())
	if err != nil || host != "127.0.0.1" {
		t.Fatalf("listens on %q, want 127.0.0.1 only (%v)", host, err)
	}
	if err := server.StartedChecker()(nil); err == nil {
		t.Error("a server that was not started reports ready")
	}
	server.Register("/hook", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "answered")
	}))

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Start(ctx) }()

	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(server.Endpoint().CABundle) {
		t.Fatal("the CA bundle holds no certificate")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	response, err := client.Get(server.Endpoint().URL + "/hook")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != "answered" {
		t.Errorf("got %q (%v)", body, err)
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	client.CloseIdleConnections()

	cancel()
	if err := <-done; err != nil {
		t.Errorf("stopping reports %v", err)
	}
	if _, err := net.Dial("tcp", server.listener.Addr().String()); err == nil {
		t.Error("the port is still open after the context ended")
	}
}
