// Package connectproxy is an HTTP forward proxy that knows only the hosts a simulator plays.
//
// Programs whose Azure endpoints cannot be configured (CAPZ) are pointed at it with HTTPS_PROXY. A CONNECT to one of
// its hosts is not forwarded: the connection is handed to a listener, where the simulator ends TLS with its own
// certificate. Every other host is refused, so nothing ever leaves the machine through it.
package connectproxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// Proxy is an http.Handler for the proxy's port and a net.Listener of the connections made through it.
type Proxy struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// New builds a Proxy.
func New() *Proxy { return &Proxy{conns: make(chan net.Conn), done: make(chan struct{})} }

// Plays tells whether a host (with or without port) is one that the proxy answers for, on port 443 only.
func Plays(hostport string) bool {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = hostport, "443"
	}
	host = strings.ToLower(host)
	if port != "443" {
		return false
	}
	label, isRegional := strings.CutSuffix(host, ".management.azure.com")
	return host == "management.azure.com" || host == "login.microsoftonline.com" ||
		(isRegional && label != "" && !strings.Contains(label, "."))
}

// ServeHTTP answers CONNECT for the hosts it plays and refuses all else with 403.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect || !Plays(r.Host) {
		http.Error(w, fmt.Sprintf("the simulator's proxy does not forward %s %s", r.Method, r.Host), http.StatusForbidden)
		return
	}
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		http.Error(w, "CONNECT needs HTTP/1.1", http.StatusHTTPVersionNotSupported)
		return
	}
	conn, buffered, err := hijacker.Hijack()
	if err != nil {
		return // the client has gone away
	}
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		_ = conn.Close()
		return
	}
	select {
	case p.conns <- &bufferedConn{Conn: conn, reader: buffered.Reader}:
	case <-p.done:
		_ = conn.Close()
	}
}

// Accept waits for the next tunnelled connection; it fails with net.ErrClosed after Close.
func (p *Proxy) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept. It may be called more than once.
func (p *Proxy) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

// Addr is a placeholder: tunnelled connections arrive through the proxy's port.
func (p *Proxy) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// bufferedConn reads first what the HTTP server had already read ahead of the tunnel.
type bufferedConn struct {
	net.Conn
	reader *bufio.Reader
}

func (b *bufferedConn) Read(p []byte) (int, error) { return b.reader.Read(p) }
