package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPagesOfTheRealKinds(t *testing.T) {
	out := t.TempDir()
	if err := run("../../config/crd", "../../api", out); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(out, "nodepool.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name, line := range map[string]string{
		"a needed field":       "| `clusterName` | string | yes | at most 63 characters; `^[a-z0-9]([-a-z0-9]*[a-z0-9])?$` | clusterName is the name of the Cluster",
		"a nested field":       "| `disk.sizeGiB` | integer |  | 30 to 2048 |",
		"a field of a list":    "| `taints[].effect` | string | yes | `NoSchedule`, `PreferNoSchedule`, `NoExecute` |",
		"an escaped bar":       `^v?(0\|[1-9][0-9]*)`,
		"a rule":               "| `spec.scaling` | scaling.min must not be greater than scaling.max |",
		"a rule of the object": "| the object | name must be at most 57 characters without dots",
		"a column":             "| Message | `.status.conditions[?(@.type==\"Ready\")].message` | with `-o wide` |",
		"a condition":          "| `Stalled` | exists only while it is True: nothing goes on until a person acts.",
		"a reason":             "| `CordoningBlue` | surfaces when old nodes still take pods; all are cordoned before the first eviction. |",
		"a shared reason":      "| `WaitingForSlot` | surfaces on RollingOut and Deleting when another operation runs on the cluster",
	} {
		if !strings.Contains(string(content), line) {
			t.Errorf("the page lacks %s: %s", name, line)
		}
	}
}
