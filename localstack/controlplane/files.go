package controlplane

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// files are the paths of what one server keeps in its directory.
type files struct {
	dir, servingCert, servingKey, tokens, token, saKey, auditPolicy, port, kubeconfig string
}

func filesIn(dir string) files {
	in := func(name string) string { return filepath.Join(dir, name) }
	return files{
		dir: dir, servingCert: in("serving.crt"), servingKey: in("serving.key"), tokens: in("tokens.csv"), token: in("admin.token"),
		saKey: in("serviceaccount.key"), auditPolicy: in("audit-policy.yaml"), port: in("port"), kubeconfig: in("kubeconfig"),
	}
}

// prepare makes or refreshes what the server reads from its directory and returns the admin token.
// Secrets that clients depend on (token, ServiceAccount key) are kept; the serving certificate is issued anew.
func (f files) prepare(ca *CA) (token string, err error) {
	token, err = keep(f.token, randomToken)
	if err != nil {
		return "", err
	}
	if err := writeFile(f.tokens, []byte(token+`,admin,admin,"system:masters"`+"\n"), 0o600); err != nil {
		return "", err
	}
	if _, err := keep(f.saKey, signingKey); err != nil {
		return "", err
	}
	certPEM, keyPEM, err := ca.Issue("127.0.0.1", "localhost")
	if err != nil {
		return "", err
	}
	if err := writeFile(f.servingCert, certPEM, 0o600); err != nil {
		return "", err
	}
	return token, writeFile(f.servingKey, keyPEM, 0o600)
}

// keep returns the trimmed content of the file, after filling it with what fresh returns if it does not exist.
func keep(file string, fresh func() (string, error)) (string, error) {
	b, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(b)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read %s: %w", file, err)
	}
	s, err := fresh()
	if err != nil {
		return "", err
	}
	return s, writeFile(file, []byte(s+"\n"), 0o600)
}

func randomToken() (string, error) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("generate token: %w", err)
	}
	return hex.EncodeToString(b), nil
}

func signingKey() (string, error) {
	_, pem, err := newKey()
	return string(pem), err
}

// writeFile replaces the file in one step, so that a killed process leaves the old content or the new one.
func writeFile(file string, content []byte, mode os.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	_, err = tmp.Write(content)
	err = errors.Join(err, tmp.Chmod(mode), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}
