package controlplane

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/go-logr/logr"
)

// listen takes the wanted port, or with 0 the port remembered in file, or a free one, and remembers what it took.
// A wanted port that is busy is an error; a remembered one is given up with a message, since the server can still work.
func listen(ctx context.Context, want int, file string, log logr.Logger) (net.Listener, error) {
	port := want
	if want == 0 {
		port = rememberedPort(file)
	}
	l, err := listenOn(ctx, port)
	if err != nil && want == 0 && port != 0 {
		log.Info("The port of the last run is taken by another program, using a free one: kubeconfig files written before no longer work",
			"port", port, "error", err.Error())
		l, err = listenOn(ctx, 0)
	}
	if err != nil {
		return nil, err
	}
	took := l.Addr().(*net.TCPAddr).Port
	if err := writeFile(file, []byte(strconv.Itoa(took)+"\n"), 0o600); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

func listenOn(ctx context.Context, port int) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("listen on port %d: %w", port, err)
	}
	return l, nil
}

// rememberedPort is 0 if the file is missing or no port is in it; both mean that any port will do.
func rememberedPort(file string) int {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	p, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 16)
	if err != nil {
		return 0
	}
	return int(p)
}
