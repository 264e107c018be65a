package effective

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/cli-runtime/pkg/printers"
	jsonyaml "sigs.k8s.io/yaml"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/effective"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/render"
)

// List is what is printed for programs. Fields may be added, and are not renamed.
type List struct {
	Kind  string `json:"kind"`
	Items []Item `json:"items"`
}

// Item is what one WorkloadCluster amounts to.
type Item struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Class is its class as namespace/name, empty without one.
	Class string `json:"class,omitempty"`
	// Hash is that of status.effectiveHash.
	Hash string                                `json:"hash"`
	Spec fleetwrightv1.WorkloadClusterTemplate `json:"spec"`
	// Sources tell of each value, by its path, where it comes from, with --sources.
	Sources map[string]effective.Layer `json:"sources,omitempty"`
	// Problems are what makes it impossible.
	Problems []Problem `json:"problems,omitempty"`

	values []effective.Value
}

// Problem is one reason why it is impossible.
type Problem struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// item is what one WorkloadCluster amounts to.
func (r *reader) item(ctx context.Context, cluster *fleetwrightv1.WorkloadCluster, sources bool) (Item, error) {
	class, err := r.class(ctx, cluster)
	if err != nil {
		return Item{}, err
	}
	e, err := effective.Of(class, cluster)
	if err != nil {
		return Item{}, fmt.Errorf("WorkloadCluster %s/%s: %w", cluster.Namespace, cluster.Name, err)
	}
	out := Item{Namespace: cluster.Namespace, Name: cluster.Name, Hash: e.Hash, Spec: e.Spec}
	if class != nil {
		out.Class = class.Namespace + "/" + class.Name
	}
	for _, p := range effective.Problems(cluster.Name, e, capi.OwnedOverrides()) {
		out.Problems = append(out.Problems, Problem{Reason: p.Reason, Message: p.Message})
	}
	if message := unrenderable(cluster, e); message != "" && len(out.Problems) == 0 {
		out.Problems = append(out.Problems, Problem{Reason: fleetwrightv1.ReasonInvalidSpec, Message: message})
	}
	if sources {
		out.Sources = e.Sources
		if out.values, err = e.Values(); err != nil {
			return Item{}, err
		}
	}
	return out, nil
}

// unrenderable says what only shows when the objects underneath are made of it, such as ranges that are too small; empty for nothing.
func unrenderable(cluster *fleetwrightv1.WorkloadCluster, e effective.Effective) string {
	in := render.Input{Namespace: cluster.Namespace, Name: cluster.Name, Labels: cluster.Labels, Effective: e, Version: e.Spec.Version}
	for _, r := range e.Spec.Network.Addresses {
		if r.CIDR != "" {
			in.Bound = append(in.Bound, fleetwrightv1.BoundRange{Name: string(r.Name), CIDR: r.CIDR})
		}
	}
	_, err := render.Claim(in)
	if err == nil {
		_, err = render.Cluster(in)
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

func writeJSON(to io.Writer, items []Item) error {
	out := json.NewEncoder(to)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(List{Kind: "EffectiveWorkloadClusterList", Items: items})
}

// writeYAML prints a document for each, which begins with whose it is.
func writeYAML(to io.Writer, items []Item) error {
	for i, item := range items {
		text, err := jsonyaml.Marshal(item.Spec)
		if err == nil && item.values != nil {
			text, err = item.explained(text)
		}
		if err != nil {
			return err
		}
		title := fmt.Sprintf("# WorkloadCluster %s/%s, hash %s", item.Namespace, item.Name, item.Hash)
		if item.Class != "" {
			title = fmt.Sprintf("# WorkloadCluster %s/%s of class %s, hash %s", item.Namespace, item.Name, item.Class, item.Hash)
		}
		if i > 0 {
			title = "---\n" + title
		}
		if _, err := fmt.Fprintf(to, "%s\n%s", shown(title), text); err != nil {
			return err
		}
	}
	return nil
}

// explained is YAML with the source of each value: behind it, or above what takes several lines.
func (i Item) explained(text []byte) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	for _, value := range i.values {
		comment(document.Content[0], value.At, "# "+i.said(value.Source))
	}
	var out strings.Builder
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	if err := encoder.Encode(&document); err != nil {
		return nil, err
	}
	return []byte(out.String()), encoder.Close()
}

// said is a layer with the class's name.
func (i Item) said(layer effective.Layer) string {
	return strings.Replace(string(layer), "class", "class "+i.Class, 1)
}

// comment puts a comment on the node at a place.
func comment(node *yaml.Node, place []any, text string) {
	switch step := place[0].(type) {
	case int:
		node = node.Content[step]
		if len(place) == 1 {
			node.HeadComment = text
			return
		}
	case string:
		key, value := field(node, step)
		switch {
		case value == nil:
			return
		case len(place) == 1 && value.Kind == yaml.ScalarNode:
			value.LineComment = text
			return
		case len(place) == 1:
			key.HeadComment = text
			return
		}
		node = value
	}
	comment(node, place[1:], text)
}

// field is a field of a mapping, with its key.
func field(mapping *yaml.Node, name string) (key, value *yaml.Node) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i], mapping.Content[i+1]
		}
	}
	return nil, nil
}

// shown is text that others wrote, which must not steer the terminal.
func shown(s string) string { return printers.EscapeTerminal(s) }
