// Package cli is the kubectl plugin. It reads what the operator reads and says what the operator says: its words come from
// conditions and plans, and it knows no state of its own.
package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/client-go/util/exec"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/fleetwright/fleetwright/internal/cli/adopt"
	"github.com/fleetwright/fleetwright/internal/cli/debt"
	"github.com/fleetwright/fleetwright/internal/cli/effective"
	"github.com/fleetwright/fleetwright/internal/cli/management"
	"github.com/fleetwright/fleetwright/internal/cli/plan"
	"github.com/fleetwright/fleetwright/internal/cli/status"
)

// New is the plugin's command.
func New(streams genericiooptions.IOStreams) *cobra.Command {
	connection := management.NewConnection(streams)
	cmd := &cobra.Command{
		Use:   "kubectl-fleetwright",
		Short: "Foresee and follow changes of clusters and their Nodepools",
		Long: "Foresee and follow changes of clusters and their Nodepools, on the management cluster.\n\n" +
			"All of kubectl's own flags that say which cluster, namespace and user are here too.",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl fleetwright"},
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.SetIn(streams.In)
	cmd.SetOut(streams.Out)
	cmd.SetErr(streams.ErrOut)
	connection.AddFlags(cmd.PersistentFlags())
	cmd.AddCommand(
		plan.NewCommand(connection, streams, clock.RealClock{}),
		status.NewCommand(connection, streams, clock.RealClock{}),
		debt.NewCommand(connection, streams, clock.RealClock{}),
		effective.NewCommand(connection, streams),
		adopt.NewCommand(connection, streams),
	)
	return cmd
}

// failed is the exit code of whatever did not work.
const failed = 1

// Run runs the plugin's command and returns its exit code. Errors are one sentence on the error stream.
func Run(ctx context.Context, cmd *cobra.Command, args []string) int {
	// What libraries log is not for the people who type commands.
	logf.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	var ended exec.CodeExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &ended):
		return ended.Code
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "error:", printers.EscapeTerminal(err.Error()))
	return failed
}
