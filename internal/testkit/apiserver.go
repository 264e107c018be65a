// Package testkit starts what tests need and the repository builds itself.
package testkit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// StartAPIServer starts etcd and a kube-apiserver on loopback, with the CustomResourceDefinitions of config/crd and of
// the given further files or folders installed. The caller ends both with stop. It fails, and never skips, when the
// programs have not been built: a test that silently does nothing proves nothing.
func StartAPIServer(furtherCRDs ...string) (config *rest.Config, stop func() error, err error) {
	root, err := repositoryRoot()
	if err != nil {
		return nil, nil, err
	}
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		assets = filepath.Join(root, "bin", "envtest")
	}
	if _, err := os.Stat(filepath.Join(assets, "kube-apiserver")); err != nil {
		return nil, nil, fmt.Errorf("no API server to test against in %s: run `make test`, or `make envtest` once and then `go test`", assets)
	}
	environment := &envtest.Environment{
		BinaryAssetsDirectory: assets,
		CRDDirectoryPaths:     append([]string{filepath.Join(root, "config", "crd")}, furtherCRDs...),
		ErrorIfCRDPathMissing: true,
	}
	// With its cache, a list waits up to 100 ms for news of other kinds; tests list right after they write.
	environment.ControlPlane.GetAPIServer().Configure().Set("watch-cache", "false")
	config, err = environment.Start()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("start an API server: %w", err), environment.Stop())
	}
	config.QPS = -1 // as often as tests like
	return config, environment.Stop, nil
}

// APIServer is one that stops at the end of the test; see StartAPIServer.
func APIServer(t *testing.T, furtherCRDs ...string) *rest.Config {
	t.Helper()
	config, stop, err := StartAPIServer(furtherCRDs...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return config
}

// repositoryRoot is the folder of the root module, wherever in it the test runs.
func repositoryRoot() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for ; ; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "config", "crd")); err == nil {
			return folder, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("find the repository: %w", err)
		}
		if folder == filepath.Dir(folder) {
			return "", errors.New("find the repository: no folder above holds config/crd")
		}
	}
}
