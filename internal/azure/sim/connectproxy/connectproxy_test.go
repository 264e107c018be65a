package connectproxy_test

import (
	"errors"
	"net"
	"testing"

	"github.com/fleetwright/fleetwright/internal/azure/sim/connectproxy"
)

func TestPlays(t *testing.T) {
	for host, want := range map[string]bool{
		"management.azure.com:443":           true,
		"Management.Azure.Com:443":           true,
		"westus2.management.azure.com:443":   true,
		"login.microsoftonline.com":          true,
		"login.microsoftonline.com:80":       false,
		"management.azure.com:8443":          false,
		".management.azure.com:443":          false,
		"a.b.management.azure.com:443":       false,
		"xmanagement.azure.com:443":          false,
		"management.azure.com.evil.test:443": false,
		"evil.login.microsoftonline.com:443": false,
		"127.0.0.1:443":                      false,
		"":                                   false,
	} {
		if got := connectproxy.Plays(host); got != want {
			t.Errorf("Plays(%q) is %v", host, got)
		}
	}
}

func TestCloseEndsAccept(t *testing.T) {
	p := connectproxy.New()
	if err := errors.Join(p.Close(), p.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close gives %v", err)
	}
}
