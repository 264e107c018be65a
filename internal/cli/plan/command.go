// Package plan is the command that says what a proposed Nodepool would do, before it is applied.
package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/app"
	"github.com/fleetwright/fleetwright/internal/cli/management"
	"github.com/fleetwright/fleetwright/internal/nodepool"
	"github.com/fleetwright/fleetwright/internal/workload"
)

const example = `  # What would this change do?
  kubectl fleetwright plan -f nodepool.yaml

  # All that a folder or a kustomization holds; other kinds are skipped
  kubectl fleetwright plan -R -f clusters/prod-eu/
  kubectl fleetwright plan -k overlays/prod-eu

  # A comment for a pull request
  kubectl fleetwright plan -f nodepool.yaml -o markdown`

const long = `Say what would happen if the Nodepools in the files were applied: which fields change in place and which replace
the pool, how it would be replaced, which nodes and pods would move, what would be in the way, how long it would take.

The answer is the operator's own: the same code reads the management cluster, the workload cluster and, if there are
credentials in the environment, Azure. Nothing is written; the API server is asked in a dry run whether it would take
the change.

Exit codes: 0 nothing would change, 2 something would change, 3 it could not go through without a person,
1 something failed or a cluster could not be read. Of several Nodepools the worst counts.`

type options struct {
	connection *management.Connection
	streams    genericiooptions.IOStreams
	clock      clock.PassiveClock
	files      genericclioptions.FileNameFlags
	output     string
	// operatorNamespace is where the operator runs: a Freeze there reaches the fleet.
	operatorNamespace string
	azure             app.Options
}

// formats are the values of --output.
var formats = map[string]func(io.Writer, List) error{"text": writeText, "json": writeJSON, "markdown": writeMarkdown}

var formatNames = []string{"text", "json", "markdown"}

// NewCommand is `plan`.
func NewCommand(connection *management.Connection, streams genericiooptions.IOStreams, clk clock.PassiveClock) *cobra.Command {
	o := &options{
		connection: connection, streams: streams, clock: clk,
		files: genericclioptions.FileNameFlags{
			Usage: "files, folders or URLs with what is proposed; - is standard input", Filenames: new([]string), Kustomize: new(string), Recursive: new(bool),
		},
	}
	cmd := &cobra.Command{
		Use: "plan -f FILE", Short: "Say what a change of Nodepools would do", Long: long, Example: example, Args: cobra.NoArgs,
		DisableFlagsInUseLine: true,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	o.files.AddFlags(cmd.Flags())
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", "format: "+strings.Join(formatNames, ", "))
	cmd.Flags().StringVar(&o.operatorNamespace, "operator-namespace", app.DefaultNamespace, "namespace of the operator: a Freeze there reaches the fleet")
	o.azure.AzureFlags(cmd.Flags())
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formatNames, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (o *options) run(ctx context.Context) error {
	write := formats[o.output]
	if write == nil {
		return fmt.Errorf("--output %q is none of %s", o.output, strings.Join(formatNames, ", "))
	}
	proposals, err := readProposals(o.connection, o.streams, o.files.ToOptions())
	if err != nil {
		return err
	}
	namespace, named, err := o.connection.Namespace()
	if err != nil {
		return err
	}
	c, err := o.connection.Client()
	if err != nil {
		return err
	}
	azure, err := app.Azure(o.azure.Azure, logr.Discard())
	if err != nil {
		return err
	}
	sources := nodepool.Sources{
		Client: c, Clusters: workload.New(c, management.UserAgent, o.clock), Azure: azure, Namespace: o.operatorNamespace, Clock: o.clock,
	}
	items := make([]NodepoolPlan, 0, len(proposals))
	for _, proposal := range proposals {
		p := NodepoolPlan{Name: proposal.GetName(), Changes: []Change{}}
		err := place(proposal, c.RESTMapper(), namespace, named)
		if p.Namespace = proposal.GetNamespace(); err == nil {
			p, err = foresee(ctx, c, sources, proposal, p)
		}
		if err != nil {
			p.Outcome, p.Error = outcomeError, management.Explain(err).Error()
		}
		items = append(items, p)
	}
	document := list(items, azure != nil)
	if err := write(o.streams.Out, document); err != nil {
		return fmt.Errorf("print the plan: %w", err)
	}
	o.sayWhatIsMissing(document)
	return exit(document.Outcome)
}

// foresee fills in the plan of one proposal.
func foresee(ctx context.Context, c client.Client, sources nodepool.Sources, proposal *unstructured.Unstructured, p NodepoolPlan) (NodepoolPlan, error) {
	np, err := tryOut(ctx, c, proposal)
	if err != nil {
		return p, err
	}
	p.Cluster = np.Spec.ClusterName
	f, err := nodepool.Foresee(ctx, sources, np)
	if err != nil {
		return p, err
	}
	return describe(f), nil
}

// sayWhatIsMissing tells on the error stream what the plan does not know.
func (o *options) sayWhatIsMissing(document List) {
	for _, p := range document.Items {
		switch p.Outcome {
		case outcomeError:
			fmt.Fprintf(o.streams.ErrOut, "error: Nodepool %s cannot be planned: %s\n", shown(p.Namespace+"/"+p.Name), shown(p.Error))
		case nodepool.OutcomeUnknown:
			fmt.Fprintf(o.streams.ErrOut, "error: cluster %s cannot be read from here, so what would happen to Nodepool %s is not known: %s\n",
				shown(p.Namespace+"/"+p.Cluster), shown(p.Name), shown(p.Unread))
		default:
		}
	}
	replaces := func(p NodepoolPlan) bool { return p.New || p.Leaves != nil }
	if !document.AzureChecked && slices.ContainsFunc(document.Items, replaces) {
		fmt.Fprintln(o.streams.ErrOut, "note: "+azureUnchecked+"; sign in with `az login` or a service principal to have them checked")
	}
}

// azureUnchecked is said of a plan that was made without credentials for Azure.
const azureUnchecked = "quotas, machine types and addresses of Azure were not checked, and an operator that can check them may replace a pool in stages instead"

func writeJSON(to io.Writer, document List) error {
	out := json.NewEncoder(to)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(document)
}
