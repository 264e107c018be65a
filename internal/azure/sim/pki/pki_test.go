package pki_test

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/sim/pki"
)

func load(t *testing.T, dir string, now time.Time) (leaf *x509.Certificate, ca []byte) {
	t.Helper()
	cert, err := pki.Load(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	ca, err = os.ReadFile(filepath.Join(dir, pki.CAFile))
	if err != nil {
		t.Fatal(err)
	}
	return cert.Leaf, ca
}

func TestLoad(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	leaf, ca := load(t, dir, now)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	for name, good := range map[string]bool{
		"127.0.0.1": true, "localhost": true, "management.azure.com": true, "westeurope.management.azure.com": true,
		"login.microsoftonline.com": true, "example.com": false, "microsoftonline.com": false,
	} {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); (err == nil) != good {
			t.Errorf("%s: %v", name, err)
		}
	}
	if again, sameCA := load(t, dir, now); !again.Equal(leaf) || !bytes.Equal(ca, sameCA) {
		t.Error("a second start makes a new certificate")
	}
	if late, _ := load(t, dir, leaf.NotAfter); late.Equal(leaf) {
		t.Error("a certificate that ends today is kept")
	}
}

func TestLoadRepairs(t *testing.T) {
	for name, breakIt := range map[string]func(dir string) error{
		"no key":    func(dir string) error { return os.Remove(filepath.Join(dir, "tls.key")) },
		"no CA":     func(dir string) error { return os.Remove(filepath.Join(dir, pki.CAFile)) },
		"broken CA": func(dir string) error { return os.WriteFile(filepath.Join(dir, pki.CAFile), []byte("x"), 0o600) },
		"another CA": func(dir string) error {
			other := filepath.Join(dir, "other")
			if err := os.Mkdir(other, 0o700); err != nil {
				return err
			}
			if _, err := pki.Load(other, time.Now()); err != nil {
				return err
			}
			return os.Rename(filepath.Join(other, pki.CAFile), filepath.Join(dir, pki.CAFile))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			load(t, dir, time.Now())
			if err := breakIt(dir); err != nil {
				t.Fatal(err)
			}
			leaf, ca := load(t, dir, time.Now())
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(ca)
			if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "localhost"}); err != nil {
				t.Error(err)
			}
		})
	}
}
