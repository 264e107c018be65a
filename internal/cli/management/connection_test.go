package management

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestExplainSaysWhatToDo(t *testing.T) {
	other := errors.New("other")
	for name, test := range map[string]struct {
		err  error
		says string
	}{
		"not a management cluster": {
			fmt.Errorf("read Nodepools: %w", &meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: "fleetwright.io", Kind: "Nodepool"}}),
			"choose the one that Fleetwright and Cluster API are installed on with --context",
		},
		"not reachable": {fmt.Errorf("read Nodepools: %w", &url.Error{Op: "Get", URL: "https://x", Err: other}), "see that it can be reached from here"},
		"as it is":      {other, "other"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Explain(test.err)
			if !strings.Contains(got.Error(), test.says) || !errors.Is(got, test.err) {
				t.Errorf("Explain() = %v, want it to say %q", got, test.says)
			}
		})
	}
	if Explain(nil) != nil {
		t.Error("no error became one")
	}
}
