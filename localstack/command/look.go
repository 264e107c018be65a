package command

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/fleetwright/fleetwright/localstack/stack"
)

// stopPatience is how long `down` waits for the stack to end.
const stopPatience = 20 * time.Second

// summary says how to get at a running stack.
func summary(layout stack.Layout, record stack.Record) string {
	var b strings.Builder
	line := func(what, where string) { fmt.Fprintf(&b, "%-22s%s\n", what, where) }
	line("Management cluster", "kubectl --kubeconfig "+relative(layout.Kubeconfig())+" get workloadclusters,nodepools -A")
	for _, file := range layout.ClusterKubeconfigs() {
		line("Cluster "+strings.TrimSuffix(filepath.Base(file), ".kubeconfig"), "kubectl --kubeconfig "+relative(file)+" get nodes,pods -A")
	}
	line("Clusters made later", "kubectl --kubeconfig "+relative(layout.ClusterKubeconfig("NAME"))+" ...")
	line("Simulated Azure", "curl --cacert "+relative(layout.AzureCA())+" "+record.AzureAdmin+"/resources")
	if record.OperatorMetrics != "" {
		line("Operator's metrics", "http://"+record.OperatorMetrics+"/metrics")
	}
	line("Logs", relative(layout.Logs()))
	return b.String()
}

// relative shortens a path for people.
func relative(path string) string {
	here, err := filepath.Abs(".")
	if err != nil {
		return path
	}
	short, err := filepath.Rel(here, path)
	if err != nil || strings.HasPrefix(short, "..") {
		return path
	}
	return short
}

func statusCommand() *cobra.Command {
	var where place
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say whether the stack runs, and where",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			layout, err := where.layout()
			if err != nil {
				return err
			}
			record, running, err := layout.Read()
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			switch {
			case !running && record.PID == 0:
				say(out, "Stack %q has never run. Start it: localstack up --name %s", layout.Name(), layout.Name())
			case !running:
				say(out, "Stack %q does not run. Its data is in %s. Start it: localstack up --name %s", layout.Name(), relative(layout.Dir), layout.Name())
			case record.Ready.Before(record.Started):
				say(out, "Stack %q is starting, process %d", layout.Name(), record.PID)
			default:
				say(out, "Stack %q runs since %s, process %d\n\n%s", layout.Name(), record.Started.Local().Format(time.DateTime), record.PID, summary(layout, record))
			}
			return nil
		},
	}
	where.flags(cmd)
	return cmd
}

func envCommand() *cobra.Command {
	var where place
	cmd := &cobra.Command{
		Use:   "env",
		Short: `Print shell lines that point kubectl at the stack: eval "$(localstack env)"`,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			layout, err := where.layout()
			if err != nil {
				return err
			}
			record, running, err := layout.Read()
			if err != nil {
				return err
			}
			if !running {
				return fmt.Errorf("stack %q does not run", layout.Name())
			}
			out := cmd.OutOrStdout()
			say(out, "export KUBECONFIG=%s", quote(layout.Kubeconfig()))
			say(out, "export FLEETWRIGHT_CLUSTERS=%s", quote(filepath.Dir(layout.ClusterKubeconfig("x"))))
			say(out, "export FLEETWRIGHT_AZURE=%s", quote(record.Azure))
			say(out, "export FLEETWRIGHT_AZURE_CA=%s", quote(layout.AzureCA()))
			return nil
		},
	}
	where.flags(cmd)
	return cmd
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func downCommand() *cobra.Command {
	var where place
	cmd := &cobra.Command{
		Use:   "down",
		Short: "End a running stack; its data stays",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			layout, err := where.layout()
			if err != nil {
				return err
			}
			return down(cmd, layout)
		},
	}
	where.flags(cmd)
	return cmd
}

func down(cmd *cobra.Command, layout stack.Layout) error {
	record, running, err := layout.Read()
	if err != nil {
		return err
	}
	if !running {
		say(cmd.OutOrStdout(), "Stack %q does not run", layout.Name())
		return nil
	}
	// The lock says that the process that wrote the record still runs, so the number is its own.
	if err := syscall.Kill(record.PID, syscall.SIGTERM); err != nil {
		return fmt.Errorf("end process %d: %w", record.PID, err)
	}
	for deadline := time.Now().Add(stopPatience); time.Now().Before(deadline); {
		if _, running, err := layout.Read(); err == nil && !running {
			say(cmd.OutOrStdout(), "Stack %q has ended", layout.Name())
			return nil
		}
		select {
		case <-cmd.Context().Done():
			return cmd.Context().Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("process %d has not ended within %s", record.PID, stopPatience)
}

func resetCommand() *cobra.Command {
	var where place
	cmd := &cobra.Command{
		Use:   "reset",
		Short: "Delete the data of a stack that does not run",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			layout, err := where.layout()
			if err != nil {
				return err
			}
			err = layout.Remove()
			if errors.Is(err, stack.ErrInUse) {
				return fmt.Errorf("stack %q runs: end it first, with `localstack down --name %s`", layout.Name(), layout.Name())
			}
			if err == nil {
				say(cmd.OutOrStdout(), "Stack %q is removed", layout.Name())
			}
			return err
		},
	}
	where.flags(cmd)
	return cmd
}
