// Package debt is the command that ranks who has held up drains, and for how long.
package debt

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cli/management"
)

const example = `  # Who has cost the fleet the most, workload by workload
  kubectl fleetwright debt -A

  # Which team, if each has a namespace; which budgets
  kubectl fleetwright debt -A --by namespace
  kubectl fleetwright debt -A --by budget

  # For a report
  kubectl fleetwright debt -A -o markdown`

const long = `Rank who has held up drains: the hours in which the old nodes of a Nodepool could not be emptied because of a
workload, summed up over the Nodepools of all clusters, and how many pods are in the way now.

It is what the operator reports in status.drainDebt of each Nodepool, which keeps the 20 workloads with the most. What a
budget holds up for less than 2 minutes is no debt, and neither is a node that is lost or an API server that is down.`

type options struct {
	connection    *management.Connection
	streams       genericiooptions.IOStreams
	clock         clock.PassiveClock
	allNamespaces bool
	by, output    string
}

// formats are the values of --output.
var formats = map[string]func(io.Writer, List, time.Time) error{"table": writeTable, "json": writeJSON, "markdown": writeMarkdown}

var formatNames = []string{"table", "json", "markdown"}

// NewCommand is `debt`.
func NewCommand(connection *management.Connection, streams genericiooptions.IOStreams, clk clock.PassiveClock) *cobra.Command {
	o := &options{connection: connection, streams: streams, clock: clk}
	cmd := &cobra.Command{
		Use: "debt", Short: "Rank who holds up drains", Long: long, Example: example, Args: cobra.NoArgs,
		DisableFlagsInUseLine: true,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	cmd.Flags().BoolVarP(&o.allNamespaces, "all-namespaces", "A", false, "the Nodepools of all namespaces")
	cmd.Flags().StringVar(&o.by, "by", groupNames[0], "what to rank: "+strings.Join(groupNames, ", "))
	cmd.Flags().StringVarP(&o.output, "output", "o", formatNames[0], "format: "+strings.Join(formatNames, ", "))
	_ = cmd.RegisterFlagCompletionFunc("by", cobra.FixedCompletions(groupNames, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formatNames, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (o *options) run(ctx context.Context) error {
	write := formats[o.output]
	switch {
	case write == nil:
		return fmt.Errorf("--output %q is none of %s", o.output, strings.Join(formatNames, ", "))
	case !slices.Contains(groupNames, o.by):
		return fmt.Errorf("--by %q is none of %s", o.by, strings.Join(groupNames, ", "))
	}
	where, listed := "in any namespace", &client.ListOptions{}
	if !o.allNamespaces {
		namespace, _, err := o.connection.Namespace()
		if err != nil {
			return err
		}
		where, listed.Namespace = "in namespace "+namespace, namespace
	}
	c, err := o.connection.Client()
	if err != nil {
		return err
	}
	var nodepools fleetwrightv1.NodepoolList
	if err := c.List(ctx, &nodepools, listed); err != nil {
		return management.Explain(fmt.Errorf("read Nodepools: %w", err))
	}
	if len(nodepools.Items) == 0 {
		return fmt.Errorf("there are no Nodepools %s", where)
	}
	list := rank(nodepools.Items, o.by)
	list.where = where
	return write(o.streams.Out, list, o.clock.Now())
}
