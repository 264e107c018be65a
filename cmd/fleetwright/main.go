// Command fleetwright is the manager: it runs next to Cluster API and CAPZ on a
// management cluster and keeps Nodepools as their users wrote them.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/config"

	"github.com/fleetwright/fleetwright/internal/app"
)

// garbagePercent is how much garbage there may be by what is in use, as GOGC, which goes first. Go's own is 100. With many clusters the
// operator runs out of memory long before it runs out of processor time.
const garbagePercent = 50

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	var options app.Options
	cmd := &cobra.Command{
		Use:           "fleetwright",
		Short:         "Keep AKS node pools as their Nodepools say, on Cluster API",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rest, err := config.GetConfig()
			if err != nil {
				return fmt.Errorf("find the management cluster: %w", err)
			}
			return app.Run(cmd.Context(), rest, options)
		},
	}
	options.Flags(cmd.Flags())
	config.RegisterFlags(flag.CommandLine)
	cmd.Flags().AddGoFlagSet(flag.CommandLine)
	if err := cmd.ExecuteContext(ctrl.SetupSignalHandler()); err != nil {
		fmt.Fprintln(os.Stderr, "fleetwright:", err)
		os.Exit(1)
	}
}
