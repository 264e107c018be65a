package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// TestMain lets the test binary play the programs, as the real one does.
func TestMain(m *testing.M) {
	if program, args := choose(os.Args); program != nil {
		os.Args = args
		os.Exit(program())
	}
	os.Exit(m.Run())
}

func TestEnvtestRunsOnTheLinkedPrograms(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "assets")
	for range 2 { // the second run replaces the links
		if _, err := linkAssets(self, dir); err != nil {
			t.Fatal(err)
		}
	}
	env := &envtest.Environment{BinaryAssetsDirectory: dir}
	cfg, err := env.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
	})
	c, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	if v.GitVersion != "v1.36.3" {
		t.Errorf("kube-apiserver reports %s, want v1.36.3", v.GitVersion)
	}
}

func TestLinkAssetsRefusesToReplaceAProgram(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "etcd"), []byte("somebody's own"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := linkAssets("/bin/true", dir); err == nil || !strings.Contains(err.Error(), "not a link") {
		t.Errorf("linkAssets() over a real file = %v, want an error that says it is not a link", err)
	}
}

func TestChoose(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string // the first argument the program sees; empty: the local stack itself
	}{
		"called through a link":    {[]string{"/x/bin/etcd", "--version"}, "/x/bin/etcd"},
		"named as first argument":  {[]string{"localstack", "kube-apiserver", "--version"}, "kube-apiserver"},
		"a command":                {[]string{"localstack", "envtest", "etcd"}, ""},
		"nothing":                  {[]string{"localstack"}, ""},
		"a name that only ends so": {[]string{"my-etcd"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			program, args := choose(tc.args)
			if (program != nil) != (tc.want != "") {
				t.Fatalf("choose() found a program: %t", program != nil)
			}
			if program != nil && args[0] != tc.want {
				t.Errorf("program sees itself as %q, want %q", args[0], tc.want)
			}
		})
	}
}
