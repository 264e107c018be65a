package clusterandnodepoolsaso_test

import (
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	clusterandnodepools "github.com/fleetwright/fleetwright/examples/cluster-and-nodepools"
	clusterandnodepoolsaso "github.com/fleetwright/fleetwright/examples/cluster-and-nodepools-aso"
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
	if diff := cmp.Diff(read(clusterandnodepools.Manifests), read(clusterandnodepoolsaso.Manifests)); diff != "" {
		t.Errorf("nodepools.yaml (-cluster-and-nodepools +cluster-and-nodepools-aso):\n%s", diff)
	}
}
