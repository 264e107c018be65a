// Package adopt is the command that writes the WorkloadClusters of clusters that exist.
package adopt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/util/exec"

	"github.com/fleetwright/fleetwright/internal/cli/management"
)

const example = `  # What would this cluster be as one resource?
  kubectl fleetwright adopt prod-eu-1

  # All clusters of the fleet, as clusters of a class; what differs from it is in each one's spec
  kubectl fleetwright adopt -A --class platform/prod-eu-v7 > clusters.yaml

  # See what the operator says before anything is taken over
  kubectl apply -f clusters.yaml
  kubectl get workloadclusters -A -o custom-columns=NAME:.metadata.name,ADOPTED:'.status.conditions[?(@.type=="Adopted")].message'`

const long = `Write the WorkloadClusters of clusters that Cluster API has already, of either flavour, so that they change nothing in them:
the smallest spec that amounts to what is there. Nodepools <cluster>-<pool> are taken over by their names, and MachinePools that
are nobody's become Nodepools. Nothing is written to the management cluster; the API server is asked in a dry run whether it
takes them.

They say adoption.policy: Report, with which the operator tells what it would change and changes nothing, and deletionPolicy:
Retain, with which they can be deleted again and everything stays.

Exit codes: 0 adopting them changes nothing, 3 it changes something, or some cannot be adopted, 1 something failed. The error
stream says what.`

type options struct {
	connection    *management.Connection
	streams       genericiooptions.IOStreams
	allNamespaces bool
	class, output string
}

// NewCommand is `adopt`.
func NewCommand(connection *management.Connection, streams genericiooptions.IOStreams) *cobra.Command {
	o := &options{connection: connection, streams: streams}
	cmd := &cobra.Command{
		Use: "adopt [CLUSTER...]", Short: "Write the WorkloadClusters of clusters that exist", Long: long, Example: example,
		DisableFlagsInUseLine: true,
		RunE:                  func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
		ValidArgsFunction: func(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			return o.complete(cmd.Context(), given), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().BoolVarP(&o.allNamespaces, "all-namespaces", "A", false, "the clusters of all namespaces")
	cmd.Flags().StringVar(&o.class, "class", "", "NAMESPACE/NAME of the WorkloadClusterClass that they become clusters of (default: none)")
	cmd.Flags().StringVarP(&o.output, "output", "o", formatNames[0], "format: "+strings.Join(formatNames, ", "))
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formatNames, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (o *options) run(ctx context.Context, names []string) error {
	write := formats[o.output]
	switch {
	case write == nil:
		return fmt.Errorf("--output %q is none of %s", o.output, strings.Join(formatNames, ", "))
	case o.allNamespaces && len(names) > 0:
		return errors.New("clusters are named within one namespace: leave out --all-namespaces")
	}
	namespace, where := "", "in any namespace"
	if !o.allNamespaces {
		var err error
		if namespace, _, err = o.connection.Namespace(); err != nil {
			return err
		}
		where = "in namespace " + namespace
	}
	c, err := o.connection.Client()
	if err != nil {
		return err
	}
	class, err := readClass(ctx, c, o.class, namespace)
	if err != nil {
		return management.Explain(err)
	}
	inventory, err := readInventory(ctx, c, namespace, names)
	if err != nil {
		return management.Explain(err)
	}
	keys, owned := inventory.others()
	if len(keys) == 0 {
		return fmt.Errorf("there is no Cluster %s that is to be adopted: %d have their WorkloadCluster already", where, owned)
	}
	results := make([]result, 0, len(keys))
	for _, key := range keys {
		r, err := inventory.one(ctx, c, key, class)
		if err != nil {
			return management.Explain(fmt.Errorf("cluster %s: %w", key, err))
		}
		results = append(results, r)
	}
	if err := write(o.streams.Out, results); err != nil {
		return fmt.Errorf("print the WorkloadClusters: %w", err)
	}
	tell(o.streams.ErrOut, results, owned)
	if slices.ContainsFunc(results, func(r result) bool { return r.cluster == nil || len(r.differences) > 0 }) {
		return exec.CodeExitError{Err: errors.New("not all are adopted without a change"), Code: 3}
	}
	return nil
}

// complete lists what could be typed next; where that cannot be read, nothing.
func (o *options) complete(ctx context.Context, given []string) []string {
	namespace, _, err := o.connection.Namespace()
	if err != nil {
		return nil
	}
	c, err := o.connection.Client()
	if err != nil {
		return nil
	}
	inventory, err := readInventory(ctx, c, namespace, nil)
	if err != nil {
		return nil
	}
	var out []string
	keys, _ := inventory.others()
	for _, key := range keys {
		if !slices.Contains(given, key.Name) {
			out = append(out, key.Name)
		}
	}
	return out
}
