package sandbox

import (
	"context"
	"io"
	"net"
	"sync"
)

// relay passes every connection that listener accepts on to address, until the listener is closed. The listener and the
// address may be in different network namespaces: a socket stays in the one it was made in.
func relay(ctx context.Context, listener net.Listener, address string) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return // closed
		}
		go join(ctx, conn, address)
	}
}

func join(ctx context.Context, from net.Conn, address string) {
	defer func() { _ = from.Close() }()
	var dialer net.Dialer
	to, err := dialer.DialContext(ctx, "tcp4", address)
	if err != nil {
		return // the other end is closed: nobody listens there, as far as the client can see
	}
	defer func() { _ = to.Close() }()
	var both sync.WaitGroup
	both.Go(func() { pass(to, from) })
	both.Go(func() { pass(from, to) })
	both.Wait()
}

// pass copies one direction and says so when it ends; the other direction may go on, as HTTP clients need.
func pass(to, from net.Conn) {
	_, _ = io.Copy(to, from) // how a connection ended is for its two ends to say
	if half, ok := to.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
}
