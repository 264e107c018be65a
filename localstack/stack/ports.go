package stack

import (
	"context"
	"fmt"
	"net"
)

// freePort returns preferred, "127.0.0.1:PORT", if it is free, or else an address that is. Somebody else may take it before
// it is used; then the program that wanted it fails and says so.
func freePort(ctx context.Context, preferred string) (string, error) {
	var listen net.ListenConfig
	if preferred != "" {
		if l, err := listen.Listen(ctx, "tcp4", preferred); err == nil {
			return preferred, l.Close()
		}
	}
	l, err := listen.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}
