package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/fleetwright/fleetwright/localstack/demo"
	"github.com/fleetwright/fleetwright/localstack/stack"
)

// demoStack is the stack of the demo, apart from the one that people work with.
const demoStack = "demo"

// realPatience is by how much the steps may take longer with the real CAPZ, which looks every 20 s at what it has asked for.
const realPatience = 4

// demonstration are the flags of the demo.
type demonstration struct {
	exit, plain bool
	json        string
	patience    float64
	flavour     demo.Flavour
	// story is demo.Run, except in tests.
	story func(context.Context, demo.Options) (*demo.Report, *stack.Stack, error)
}

func demoCommand() *cobra.Command {
	var where place
	var what shape
	how := demonstration{story: demo.Run}
	var flavour string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch one resource become a cluster and its node pools being replaced, with proof that no disruption budget was broken",
		Long: "Start a fresh stack, create a simulated AKS cluster from the one resource of examples/quickstart and a workload on it, change the machine type\n" +
			"of a node pool and then the version of the whole, and prove from the API servers' own records that no disruption budget was broken. The stack\n" +
			"stays until Ctrl-C, so that one can look around; with --exit it ends by itself, with status 1 if anything failed.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if how.flavour, err = flavourOf(flavour); err != nil {
				return err
			}
			layout, err := where.layout()
			if err != nil {
				return err
			}
			options, err := what.options(layout)
			if err != nil {
				return err
			}
			if what.capz == realCAPZ {
				how.patience = realPatience
			}
			ctx, cancel := untilSignal(cmd.Context())
			defer cancel()
			return how.run(ctx, cmd.OutOrStdout(), options)
		},
	}
	where.flags(cmd)
	cmd.Flags().Lookup("name").DefValue = demoStack
	where.name = demoStack
	what.flags(cmd)
	cmd.Flags().StringVar(&flavour, "flavor", string(demo.ASO), "which of CAPZ's kinds hold the cluster: aso (AzureASOManaged*) or managed (AzureManaged*)")
	cmd.Flags().BoolVar(&how.exit, "exit", false, "end the stack at the end, with status 0 if everything held and 1 if not")
	cmd.Flags().BoolVar(&how.plain, "plain", false, "print lines instead of a screen (default when the output is no terminal, or CI is set)")
	cmd.Flags().StringVar(&how.json, "json", "", "also write timings and proof to this file")
	return cmd
}

func flavourOf(name string) (demo.Flavour, error) {
	if !slices.Contains(demo.Flavours(), demo.Flavour(name)) {
		return "", fmt.Errorf("--flavor is %q: choose one of %v", name, demo.Flavours())
	}
	return demo.Flavour(name), nil
}

func (d demonstration) run(ctx context.Context, out io.Writer, options stack.Options) error {
	layout := options.Layout
	if err := startAfresh(out, layout); err != nil {
		return err
	}
	var gaveUp complaints
	logs, err := redirectLogs(layout, gaveUp.add)
	if err != nil {
		return err
	}
	defer func() { _ = logs.Close() }()

	report, running, err := d.tell(ctx, out, options)
	err = errors.Join(err, gaveUp.err())
	if d.json != "" && report != nil {
		err = errors.Join(err, report.Save(d.json))
	}
	if running == nil {
		return explainDemo(ctx, layout, errors.Join(err, printed(out, report)))
	}
	if err = errors.Join(err, report.Print(out)); err != nil || d.exit {
		return errors.Join(err, running.Stop())
	}
	say(out, "\nThe stack still runs; look around in another terminal:\n\n%s\nCtrl-C ends it.", summary(layout, running.Record()))
	select {
	case <-ctx.Done():
	case <-running.Failed():
	}
	say(out, "Ending the stack")
	failure := errors.Join(running.Failure(), gaveUp.err())
	return errors.Join(failure, running.Stop())
}

// tell runs the demo on a screen or in lines.
func (d demonstration) tell(ctx context.Context, out io.Writer, options stack.Options) (*demo.Report, *stack.Stack, error) {
	story := demo.Options{Stack: options, Patience: d.patience, Flavour: d.flavour, Command: strings.Join(append([]string{"localstack"}, os.Args[1:]...), " ")}
	if d.plain || !isTerminal(out) {
		story.Tell = demo.Printer(out)
		return d.story(ctx, story)
	}
	screen := demo.NewScreen(out)
	story.Tell = screen.Tell
	report, running, err := d.story(ctx, story)
	return report, running, errors.Join(err, screen.Wait())
}

// isTerminal tells whether a screen can be redrawn there. Continuous integration often has a terminal that nobody looks at.
func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && os.Getenv("CI") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
}

// startAfresh removes what an earlier demo has left: the demo's steps need a cluster in its first state.
func startAfresh(out io.Writer, layout stack.Layout) error {
	if _, err := os.Stat(layout.Dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	err := layout.Remove()
	if errors.Is(err, stack.ErrInUse) {
		return fmt.Errorf("stack %q runs already: end it with `localstack down --name %s`, or choose another --name", layout.Name(), layout.Name())
	}
	if err == nil {
		say(out, "Removed what an earlier run of stack %q has left", layout.Name())
	}
	return err
}

// printed shows how far a failed demo came.
func printed(out io.Writer, report *demo.Report) error {
	if report == nil {
		return nil
	}
	return report.Print(out)
}

func explainDemo(ctx context.Context, layout stack.Layout, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted; everything is ended")
	}
	return fmt.Errorf("the demo failed: %w\nIts data is kept in %s and its logs in %s; look around with: localstack up --name %s",
		err, relative(layout.Dir), relative(layout.Logs()), layout.Name())
}
