package command

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/fleetwright/fleetwright/localstack/stack"
)

func upCommand() *cobra.Command {
	var where place
	var what shape
	var shared, reads bool
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start the stack and keep it until Ctrl-C",
		Long: "Start a management cluster with Cluster API, a simulated Azure with the provider for it, and the operator; go on with what\n" +
			"an earlier run has left. Everything listens on 127.0.0.1 only. Ctrl-C ends it; the data stays until `localstack reset`.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			layout, err := where.layout()
			if err != nil {
				return err
			}
			options, err := what.options(layout)
			if err != nil {
				return err
			}
			options.SharedWorkload, options.AuditReads = shared, reads
			ctx, cancel := untilSignal(cmd.Context())
			defer cancel()
			return up(ctx, cmd.OutOrStdout(), options)
		},
	}
	where.flags(cmd)
	what.flags(cmd)
	cmd.Flags().BoolVar(&shared, "shared-workload", false, "one API server for all simulated AKS clusters, which then differ in their nodes only: for many clusters without workload")
	cmd.Flags().BoolVar(&reads, "audit-reads", false, "also keep in the management API server's audit log what the operator reads")
	return cmd
}

func up(ctx context.Context, out io.Writer, options stack.Options) error {
	layout := options.Layout
	logs, err := redirectLogs(layout, func(message string) { _, _ = fmt.Fprintln(out, message) })
	if err != nil {
		return err
	}
	defer func() { _ = logs.Close() }()
	say(out, "Stack %q in %s", layout.Name(), layout.Dir)
	options.OnStep = stack.PrintSteps(ctx, out)
	running, err := stack.Start(ctx, options)
	if err != nil {
		return explain(ctx, layout, err)
	}
	say(out, "\n%s\nCtrl-C ends the stack; its data stays for the next start.", summary(layout, running.Record()))
	select {
	case <-ctx.Done():
	case <-running.Failed():
	}
	say(out, "Ending the stack")
	failure := running.Failure()
	if err := errors.Join(failure, running.Stop()); err != nil {
		return explain(context.Background(), layout, err)
	}
	say(out, "Ended. Start it again: localstack up --name %s. Remove its data: localstack reset --name %s", layout.Name(), layout.Name())
	return nil
}

// explain adds what a person can do about an error.
func explain(ctx context.Context, layout stack.Layout, err error) error {
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted while starting; everything is ended")
	case errors.Is(err, stack.ErrInUse):
		return fmt.Errorf("stack %q runs already, in another process: see `localstack status --name %s`, or choose another --name", layout.Name(), layout.Name())
	default:
		return fmt.Errorf("%w\nThe logs are in %s", err, layout.Logs())
	}
}

func say(out io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(out, format+"\n", args...) // a closed terminal is no reason to fail
}
