// Package pki makes the certificate authority and the serving certificate of a simulator.
//
// The authority's private key signs one certificate and is then forgotten: nobody can use ca.pem, which people add to
// their trust, to impersonate any other host.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// File names inside the directory given to Load.
const (
	CAFile   = "ca.pem"
	certFile = "tls.crt"
	keyFile  = "tls.key"
)

const lifetime = 2 * 365 * 24 * time.Hour

// Hosts are the names the serving certificate is good for, besides 127.0.0.1.
func Hosts() []string {
	return []string{"localhost", "management.azure.com", "*.management.azure.com", "login.microsoftonline.com"}
}

// Load reads the serving certificate kept in dir, or makes a new authority and certificate there when there is none,
// it is broken, or it ends within a day of now. Clients trust dir/ca.pem.
func Load(dir string, now time.Time) (tls.Certificate, error) {
	cert, err := read(dir)
	if err == nil && usable(dir, cert, now) {
		return cert, nil
	}
	if err := create(dir, now); err != nil {
		return tls.Certificate{}, fmt.Errorf("create the serving certificate in %s: %w", dir, err)
	}
	return read(dir)
}

func read(dir string) (tls.Certificate, error) {
	return tls.LoadX509KeyPair(filepath.Join(dir, certFile), filepath.Join(dir, keyFile))
}

// usable verifies against ca.pem, because a kill between two writes could leave files that do not fit together.
func usable(dir string, cert tls.Certificate, now time.Time) bool {
	ca, err := os.ReadFile(filepath.Join(dir, CAFile))
	if err != nil {
		return false
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return false
	}
	_, err = cert.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "localhost", CurrentTime: now.Add(24 * time.Hour)})
	return err == nil
}

func create(dir string, now time.Time) error {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	ca := template("Fleetwright Azure simulator CA", now)
	ca.IsCA, ca.BasicConstraintsValid = true, true
	ca.KeyUsage = x509.KeyUsageCertSign
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	leaf := template("Fleetwright Azure simulator", now)
	leaf.KeyUsage, leaf.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	leaf.DNSNames, leaf.IPAddresses = Hosts(), []net.IP{net.IPv4(127, 0, 0, 1)}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		writePEM(dir, keyFile, "PRIVATE KEY", keyDER, 0o600),
		writePEM(dir, certFile, "CERTIFICATE", leafDER, 0o644),
		writePEM(dir, CAFile, "CERTIFICATE", caDER, 0o644),
	)
}

func template(name string, now time.Time) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		// crypto/rand never fails since Go 1.24; it ends the program instead.
		panic(err)
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(lifetime),
	}
}

func writePEM(dir, name, kind string, der []byte, mode os.FileMode) error {
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}
