// Package effective is the command that shows what a WorkloadCluster amounts to, with its class and the defaults in it.
package effective

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/util/exec"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cli/management"
)

const example = `  # What does this cluster amount to, and where does each value come from?
  kubectl fleetwright effective prod-eu-1 --sources

  # The same of files, before they are applied. A class that is among them needs no management cluster
  kubectl fleetwright effective -f cluster.yaml
  kustomize build clusters/prod-eu | kubectl fleetwright effective -f -

  # What would change if the cluster was pointed to another class?
  diff <(kubectl fleetwright effective prod-eu-1) <(kubectl fleetwright effective -f cluster.yaml)`

const long = `Show what WorkloadClusters amount to: their class, their own spec and the defaults, merged as the operator does it. Nothing
is written, and nothing of it is written back into anyone's spec.

Exit codes: 0 nothing is wrong with it, 1 something is impossible, or failed. The error stream says what.`

type options struct {
	connection *management.Connection
	streams    genericiooptions.IOStreams
	files      genericclioptions.FileNameFlags
	output     string
	sources    bool
}

// formats are the values of --output.
var formats = map[string]func(io.Writer, []Item) error{"yaml": writeYAML, "json": writeJSON}

var formatNames = []string{"yaml", "json"}

// NewCommand is `effective`.
func NewCommand(connection *management.Connection, streams genericiooptions.IOStreams) *cobra.Command {
	o := &options{
		connection: connection, streams: streams,
		files: genericclioptions.FileNameFlags{
			Usage: "files, folders or URLs with WorkloadClusters and classes; - is standard input", Filenames: new([]string), Kustomize: new(string), Recursive: new(bool),
		},
	}
	cmd := &cobra.Command{
		Use: "effective [NAME... | -f FILE]", Short: "Show what WorkloadClusters amount to", Long: long, Example: example,
		DisableFlagsInUseLine: true,
		RunE:                  func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
		ValidArgsFunction: func(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			return o.complete(cmd.Context(), given), cobra.ShellCompDirectiveNoFileComp
		},
	}
	o.files.AddFlags(cmd.Flags())
	cmd.Flags().StringVarP(&o.output, "output", "o", formatNames[0], "format: "+strings.Join(formatNames, ", "))
	cmd.Flags().BoolVar(&o.sources, "sources", false, "say of each value where it comes from")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formatNames, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (o *options) run(ctx context.Context, names []string) error {
	write := formats[o.output]
	files := o.files.ToOptions()
	inFiles := len(files.Filenames) > 0 || files.Kustomize != ""
	switch {
	case write == nil:
		return fmt.Errorf("--output %q is none of %s", o.output, strings.Join(formatNames, ", "))
	case len(names) > 0 && inFiles:
		return errors.New("name either WorkloadClusters or, with -f, files")
	case len(names) == 0 && !inFiles:
		return errors.New("say which: NAME of a WorkloadCluster, or -f FILE, FOLDER, URL or - for standard input")
	}
	namespace, named, err := o.connection.Namespace()
	if err != nil && !inFiles {
		return err
	}
	r := reader{connection: o.connection}
	var clusters []*fleetwrightv1.WorkloadCluster
	if inFiles {
		clusters, err = r.files(o.streams, files, namespace, named)
	} else {
		clusters, err = r.live(ctx, namespace, names)
	}
	if err != nil {
		return management.Explain(err)
	}
	items := make([]Item, 0, len(clusters))
	for _, c := range clusters {
		item, err := r.item(ctx, c, o.sources)
		if err != nil {
			return management.Explain(err)
		}
		items = append(items, item)
	}
	if err := write(o.streams.Out, items); err != nil {
		return fmt.Errorf("print what it amounts to: %w", err)
	}
	return o.tell(items)
}

// tell says what is wrong, on the error stream.
func (o *options) tell(items []Item) error {
	wrong := 0
	for _, item := range items {
		for _, p := range item.Problems {
			wrong++
			fmt.Fprintf(o.streams.ErrOut, "error: WorkloadCluster %s/%s: %s: %s\n", shown(item.Namespace), shown(item.Name), p.Reason, shown(p.Message))
		}
	}
	if wrong == 0 {
		return nil
	}
	return exec.CodeExitError{Err: fmt.Errorf("%d problems", wrong), Code: 1}
}

// complete lists what could be typed next; where that cannot be read, nothing.
func (o *options) complete(ctx context.Context, given []string) []string {
	namespace, _, err := o.connection.Namespace()
	if err != nil {
		return nil
	}
	names, err := (&reader{connection: o.connection}).names(ctx, namespace)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(given, name) })
}
