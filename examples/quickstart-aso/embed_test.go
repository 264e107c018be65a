package quickstartaso_test

import (
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/examples/quickstart"
	quickstartaso "github.com/fleetwright/fleetwright/examples/quickstart-aso"
)

// TestNodepoolsAreTheSame keeps the promise that a Nodepool does not depend on how its cluster is described.
func TestNodepoolsAreTheSame(t *testing.T) {
	read := func(files fs.FS) string {
		content, err := fs.ReadFile(files, "nodepools.yaml")
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	if diff := cmp.Diff(read(quickstart.Manifests), read(quickstartaso.Manifests)); diff != "" {
		t.Errorf("nodepools.yaml (-quickstart +quickstart-aso):\n%s", diff)
	}
}
