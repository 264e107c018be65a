package controlplane_test

import (
	"os"
	"strings"
	"testing"

	"github.com/fleetwright/fleetwright/localstack/controlplane"
)

// TestVersionIsTheModules fails when the module is raised and the reported version forgotten.
func TestVersionIsTheModules(t *testing.T) {
	b, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if want := "k8s.io/kubernetes " + controlplane.Version + "\n"; !strings.Contains(string(b), want) {
		t.Errorf("go.mod does not require %q", want)
	}
}
