package adopt

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"k8s.io/cli-runtime/pkg/printers"
	"sigs.k8s.io/yaml"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// formats are the values of --output.
var formats = map[string]func(io.Writer, []result) error{"yaml": writeYAML, "json": writeJSON}

var formatNames = []string{"yaml", "json"}

// file is a WorkloadCluster as people write it.
func file(cluster *fleetwrightv1.WorkloadCluster) map[string]any {
	metadata := map[string]any{"namespace": cluster.Namespace, "name": cluster.Name}
	if len(cluster.Labels) > 0 {
		metadata["labels"] = cluster.Labels
	}
	return map[string]any{"apiVersion": cluster.APIVersion, "kind": cluster.Kind, "metadata": metadata, "spec": cluster.Spec}
}

func writeYAML(to io.Writer, results []result) error {
	first := true
	for _, r := range results {
		if r.cluster == nil {
			continue
		}
		text, err := yaml.Marshal(file(r.cluster))
		if err != nil {
			return err
		}
		var head strings.Builder
		if !first {
			head.WriteString("---\n")
		}
		first = false
		for _, line := range r.differences {
			head.WriteString("# would be changed: " + oneLine(line) + "\n")
		}
		for _, line := range r.odd {
			head.WriteString("# stays as it is: " + oneLine(line) + "\n")
		}
		if _, err := fmt.Fprintf(to, "%s%s", head.String(), text); err != nil {
			return err
		}
	}
	return nil
}

// writeJSON prints a list that kubectl applies.
func writeJSON(to io.Writer, results []result) error {
	items := []any{}
	for _, r := range results {
		if r.cluster != nil {
			items = append(items, file(r.cluster))
		}
	}
	out := json.NewEncoder(to)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(map[string]any{"apiVersion": "v1", "kind": "List", "items": items})
}

// tell says of each cluster that is not adopted without a change why, and counts them all.
func tell(to io.Writer, results []result, owned int) {
	var differ, refused, untried, unasked, odd int
	for _, r := range results {
		for _, line := range r.odd {
			fmt.Fprintf(to, "%s stays as it is: %s\n", shown(r.key.String()), shown(oneLine(line)))
		}
		for _, line := range r.differences {
			fmt.Fprintf(to, "%s would be changed: %s\n", shown(r.key.String()), shown(oneLine(line)))
		}
		switch {
		case r.cluster == nil:
			refused++
			fmt.Fprintf(to, "%s cannot be adopted: %s\n", shown(r.key.String()), shown(oneLine(r.refusal)))
		case len(r.differences) > 0:
			differ++
		}
		if r.unasked {
			unasked++
		}
		if r.untried {
			untried++
		}
		if len(r.odd) > 0 {
			odd++
		}
	}
	noun := "clusters"
	if len(results) == 1 {
		noun = "cluster"
	}
	fmt.Fprintf(to, "%d %s: %d adopted without a change, %d with one", len(results), noun, len(results)-differ-refused, differ)
	for _, more := range []struct {
		n    int
		says string
	}{
		{refused, "cannot be adopted"}, {odd, "with something that a WorkloadCluster cannot say"}, {owned, "have their WorkloadCluster already"},
		{unasked, "not asked whether class and tenant allow the namespace, since you may not read namespaces"},
		{untried, "not tried out, since you may not create WorkloadClusters"},
	} {
		if more.n > 0 {
			fmt.Fprintf(to, "; %d %s", more.n, more.says)
		}
	}
	fmt.Fprintln(to)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// shown is text that others wrote, which must not steer the terminal.
func shown(s string) string { return printers.EscapeTerminal(s) }
