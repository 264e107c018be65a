// Command fleetwright is the manager: it runs next to Cluster API and CAPZ on a
// management cluster and keeps Nodepools as their users wrote them.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/config"

	"github.com/fleetwright/fleetwright/internal/app"
)

func main() {
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
