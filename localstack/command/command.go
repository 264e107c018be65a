package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/fleetwright/fleetwright/config"
	"github.com/fleetwright/fleetwright/localstack/controlplane"
	_ "github.com/fleetwright/fleetwright/localstack/controlplane/etcdlog" // keeps the terminal quiet
	"github.com/fleetwright/fleetwright/localstack/realcapz"
	"github.com/fleetwright/fleetwright/localstack/stack"
)

// All are the commands of the local stack.
func All() []*cobra.Command {
	return []*cobra.Command{upCommand(), statusCommand(), envCommand(), downCommand(), resetCommand(), demoCommand()}
}

// place are the flags that say which stack is meant.
type place struct{ root, name string }

func (p *place) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.name, "name", stack.DefaultName, "which stack; several may run side by side")
	cmd.Flags().StringVar(&p.root, "root", ".localstack", "folder that holds the directories of all stacks")
}

func (p *place) layout() (stack.Layout, error) { return stack.LayoutOf(p.root, p.name) }

// shape are the flags that say what a stack consists of.
type shape struct{ operator, capz, managers string }

func (s *shape) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.operator, "operator", "", `the operator's program, or "none" to start it yourself (default: fleetwright next to this program)`)
	cmd.Flags().StringVar(&s.capz, "capz", standIn, `the Azure provider: "stand-in", or "real" for the real CAPZ and ASO managers`)
	cmd.Flags().StringVar(&s.managers, "capz-managers", "", "folder of the real managers (default: that of this program)")
}

// Values of --capz.
const (
	standIn  = "stand-in"
	realCAPZ = "real"
)

func (s *shape) provider() (stack.Provider, error) {
	switch s.capz {
	case standIn:
		return stack.StandIn, nil
	case realCAPZ:
		folder, err := realcapz.Find(s.managers)
		if err != nil {
			return nil, err
		}
		return realcapz.Provider(folder), nil
	default:
		return nil, fmt.Errorf("--capz is %q, not %q or %q", s.capz, standIn, realCAPZ)
	}
}

func (s *shape) options(layout stack.Layout) (stack.Options, error) {
	provider, err := s.provider()
	if err != nil {
		return stack.Options{}, err
	}
	o := stack.Options{Layout: layout, Manifests: config.Manifests, Provider: provider}
	if s.operator == "none" {
		return o, nil
	}
	o.Operator, err = stack.FindOperator(s.operator)
	return o, err
}

// redirectLogs sends what Kubernetes' packages log, which they do per process, to a file of the stack.
func redirectLogs(layout stack.Layout, report func(string)) (io.Closer, error) {
	if err := layout.Create(); err != nil {
		return nil, err
	}
	closer, err := controlplane.LogToFile(layout.Log("kubernetes"))
	if err != nil {
		return nil, err
	}
	controlplane.ContainFatal(report)
	ctrl.SetLogger(logr.New(klog.Background().GetSink()))
	return closer, nil
}

// untilSignal ends with the first Ctrl-C or SIGTERM. After it a second Ctrl-C ends the process at once.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
