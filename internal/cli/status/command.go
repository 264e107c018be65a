// Package status is the command that says how Nodepools are, in the words of their conditions.
package status

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cli/management"
)

const example = `  # All Nodepools of the namespace, and of the fleet
  kubectl fleetwright status
  kubectl fleetwright status -A

  # One cluster: its Nodepools, who waits for its slot, who is held
  kubectl fleetwright status --cluster prod-eu-1

  # One Nodepool: all there is to say
  kubectl fleetwright status prod-eu-1-general

  # Follow a change
  kubectl fleetwright status prod-eu-1-general --watch`

const long = `Say how Nodepools are: one line for each, or all about the one that is named. Everything is what the operator
last reported; the command looks at nothing else.`

type options struct {
	connection    *management.Connection
	streams       genericiooptions.IOStreams
	clock         clock.PassiveClock
	allNamespaces bool
	watch         bool
	output        string
	printFlags    *genericclioptions.JSONYamlPrintFlags

	scope
}

// scope is which Nodepools are told of.
type scope struct {
	// namespace is empty for all.
	namespace string
	// cluster and name are empty, or one of them says which.
	cluster, name string
}

var formatNames = []string{"wide", "json", "yaml"}

// NewCommand is `status`.
func NewCommand(connection *management.Connection, streams genericiooptions.IOStreams, clk clock.PassiveClock) *cobra.Command {
	o := &options{connection: connection, streams: streams, clock: clk, printFlags: genericclioptions.NewJSONYamlPrintFlags()}
	cmd := &cobra.Command{
		Use: "status [NODEPOOL | --cluster NAME]", Short: "Say how Nodepools are", Long: long, Example: example, Args: cobra.MaximumNArgs(1),
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.name = args[0]
			}
			return o.run(cmd.Context())
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return o.complete(cmd.Context(), func(np *fleetwrightv1.Nodepool) string { return np.Name })
		},
	}
	cmd.Flags().StringVar(&o.cluster, "cluster", "", "only the Nodepools of this cluster, with who waits for its slot and who is held")
	cmd.Flags().BoolVarP(&o.allNamespaces, "all-namespaces", "A", false, "the Nodepools of all namespaces")
	cmd.Flags().BoolVarP(&o.watch, "watch", "w", false, "go on, and print a line for each change until Ctrl-C")
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "format: "+strings.Join(formatNames, ", "))
	o.printFlags.AddFlags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formatNames, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("cluster", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return o.complete(cmd.Context(), func(np *fleetwrightv1.Nodepool) string { return np.Spec.ClusterName })
	})
	return cmd
}

func (o *options) run(ctx context.Context) error {
	if err := o.understand(); err != nil {
		return err
	}
	c, err := o.connection.Client()
	if err != nil {
		return err
	}
	nodepools, err := o.read(ctx, c)
	if err != nil {
		return management.Explain(err)
	}
	if len(nodepools.Items) == 0 && !o.watch {
		return o.none()
	}
	if err := o.print(ctx, c, nodepools); err != nil {
		return err
	}
	if o.watch {
		return o.follow(ctx, c, nodepools)
	}
	return nil
}

func (o *options) understand() error {
	switch {
	case o.output != "" && !slices.Contains(formatNames, o.output):
		return fmt.Errorf("--output %q is none of %s", o.output, strings.Join(formatNames, ", "))
	case o.name != "" && o.cluster != "":
		return errors.New("name either a Nodepool or, with --cluster, a cluster")
	case o.name != "" && o.allNamespaces:
		return errors.New("a Nodepool is named within one namespace: leave out --all-namespaces")
	case o.allNamespaces:
		return nil
	}
	var err error
	o.namespace, _, err = o.connection.Namespace()
	return err
}

func (s scope) options() *client.ListOptions {
	out := &client.ListOptions{Namespace: s.namespace}
	if s.name != "" {
		client.MatchingFields{"metadata.name": s.name}.ApplyToList(out)
	}
	return out
}

func (s scope) has(np *fleetwrightv1.Nodepool) bool {
	return s.cluster == "" || np.Spec.ClusterName == s.cluster
}

// read lists what is asked for, by namespace and name.
func (s scope) read(ctx context.Context, c client.Reader) (*fleetwrightv1.NodepoolList, error) {
	list := &fleetwrightv1.NodepoolList{}
	if err := c.List(ctx, list, s.options()); err != nil {
		return nil, fmt.Errorf("read Nodepools: %w", err)
	}
	list.Items = slices.DeleteFunc(list.Items, func(np fleetwrightv1.Nodepool) bool { return !s.has(&np) })
	slices.SortFunc(list.Items, func(a, b fleetwrightv1.Nodepool) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return list, nil
}

// none says that nothing was found; to ask for one that is not there is an error.
func (s scope) none() error {
	where := "in namespace " + s.namespace
	if s.namespace == "" {
		where = "in any namespace"
	}
	switch {
	case s.name != "":
		return fmt.Errorf("there is no Nodepool %s %s: `kubectl fleetwright status -A` lists all there are", s.name, where)
	case s.cluster != "":
		return fmt.Errorf("there is no Nodepool of cluster %s %s: `kubectl fleetwright status -A` lists all there are", s.cluster, where)
	}
	return fmt.Errorf("there are no Nodepools %s", where)
}

func (o *options) print(ctx context.Context, c client.Reader, nodepools *fleetwrightv1.NodepoolList) error {
	switch {
	case o.isForPrograms():
		return o.printObjects(nodepools)
	case o.name != "" && len(nodepools.Items) == 1:
		np := &nodepools.Items[0]
		events, err := readEvents(ctx, c, np)
		return writePool(o.streams.Out, np, events, err, o.clock.Now())
	case o.cluster != "":
		return writeCluster(o.streams.Out, o.cluster, nodepools, o.tableOptions())
	case o.watch:
		return nil // the lines that follow say the same
	}
	return newTable(o.streams.Out, o.tableOptions()).add(nodepools.Items...)
}

func (o *options) isForPrograms() bool { return o.output == "json" || o.output == "yaml" }

// printObjects prints a list as it is, and the one that was asked for by itself.
func (o *options) printObjects(nodepools *fleetwrightv1.NodepoolList) error {
	printer, err := o.printFlags.ToPrinter(o.output)
	if err != nil {
		return err
	}
	for i := range nodepools.Items {
		named(&nodepools.Items[i])
	}
	if o.name != "" && len(nodepools.Items) == 1 {
		return printer.PrintObj(&nodepools.Items[0], o.streams.Out)
	}
	nodepools.SetGroupVersionKind(fleetwrightv1.GroupVersion.WithKind("NodepoolList"))
	return printer.PrintObj(nodepools, o.streams.Out)
}

// named gives an object its kind, which typed clients take off.
func named(np *fleetwrightv1.Nodepool) *fleetwrightv1.Nodepool {
	np.SetGroupVersionKind(fleetwrightv1.GroupVersion.WithKind("Nodepool"))
	return np
}

func (o *options) tableOptions() printers.PrintOptions {
	return printers.PrintOptions{Wide: o.output == "wide", WithNamespace: o.namespace == ""}
}

// complete lists what could be typed next; where that cannot be read, nothing.
func (o *options) complete(ctx context.Context, word func(*fleetwrightv1.Nodepool) string) ([]string, cobra.ShellCompDirective) {
	var words []string
	c, err := o.connection.Client()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	all := scope{}
	if !o.allNamespaces {
		if all.namespace, _, err = o.connection.Namespace(); err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
	}
	if nodepools, err := all.read(ctx, c); err == nil {
		for i := range nodepools.Items {
			words = append(words, word(&nodepools.Items[i]))
		}
	}
	slices.Sort(words)
	return slices.Compact(words), cobra.ShellCompDirectiveNoFileComp
}
