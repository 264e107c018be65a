package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	clusterandnodepools "github.com/fleetwright/fleetwright/examples/cluster-and-nodepools"
	"github.com/fleetwright/fleetwright/localstack/stack"
)

// What the example is called and what the story does with it. The test of this package reads the same names in the example's files.
const (
	namespace   = "default"
	clusterName = "quickstart"
	poolName    = "quickstart-general"
	systemPool  = "quickstart-system"

	newMachine = "Standard_D8ds_v5"
	newVersion = "v1.34.2"

	// fieldOwner is who applies the example, as the user of `kubectl apply --server-side` would.
	fieldOwner = "fleetwright-demo"
)

// Options say how the story is told. Stack and Tell are needed.
type Options struct {
	// Stack says which stack is started; its data must not hold the example already.
	Stack stack.Options
	// Tell hears the events, one at a time.
	Tell func(Event)
	// Command is what the user typed, for the report.
	Command string
	// Flavour says with which kinds the cluster is described. Default Managed.
	Flavour Flavour
	// Patience multiplies the time limits of all steps. Default 1.
	Patience float64
}

// story is one telling.
type story struct {
	options Options
	teller  *teller
	report  *Report

	stack      *stack.Stack
	failed     <-chan struct{} // closed when a part of the stack has failed
	management client.Client
	config     *rest.Config
	workload   kubernetes.Interface
	witnesses  *witnesses
	phases     []PhaseTime
}

// chapter is one step with the time it may take.
type chapter struct {
	title string
	limit time.Duration
	run   func(context.Context) error
}

// Run tells the story and returns its report and the stack, which runs on and is the caller's to stop. After an error the
// report tells how far it came, and no stack is left running.
func Run(ctx context.Context, o Options) (*Report, *stack.Stack, error) {
	if o.Patience <= 0 {
		o.Patience = 1
	}
	if o.Flavour == "" {
		o.Flavour = Managed
	}
	s := &story{options: o, teller: newTeller(o.Tell)}
	report := newReport(o.Command, time.Now())
	s.report = &report
	err := s.tell(ctx)
	s.witnesses.end()
	if err != nil {
		report.Error = err.Error()
		if s.stack != nil {
			err = errors.Join(err, s.stack.Stop())
		}
	}
	report.Seconds = s.teller.elapsed().Seconds()
	s.teller.tell(Ended{At: time.Now(), Err: err})
	if err != nil {
		return &report, nil, err
	}
	return &report, s.stack, nil
}

func (s *story) tell(ctx context.Context) error {
	chapters := []chapter{
		{"Start the local stack", 2 * time.Minute, s.startStack},
		{"Create an AKS cluster with two node pools", 3 * time.Minute, s.createCluster},
		{"Start a workload with disruption budgets", 2 * time.Minute, s.startWorkload},
		{"Replace the pool: machineType becomes " + newMachine, 4 * time.Minute, s.changeMachineType},
		{"Upgrade the control plane to " + newVersion, 2 * time.Minute, s.upgradeControlPlane},
		{"Replace the pool: version becomes " + newVersion, 4 * time.Minute, s.changeVersion},
		{"Read the API servers' records", time.Minute, s.prove},
	}
	var titles []string
	for _, c := range chapters {
		titles = append(titles, c.title)
	}
	s.teller.tell(StoryBegan{At: s.teller.begun, Steps: titles})
	for _, c := range chapters {
		if err := s.chapter(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) chapter(ctx context.Context, c chapter) error {
	limit := time.Duration(float64(c.limit) * s.options.Patience)
	limited, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it took longer than %s", limit))
	defer cancel()
	began := time.Now()
	s.phases = nil
	s.teller.tell(StepBegan{At: began, Title: c.title})
	err := c.run(limited)
	if err == nil && s.stack != nil {
		err = s.stack.Failure()
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", c.title, err)
	}
	s.teller.tell(StepEnded{At: time.Now(), Err: err})
	s.report.Steps = append(s.report.Steps, ReportStep{
		Title: c.title, Start: s.teller.since(began).Seconds(), Seconds: time.Since(began).Seconds(), Phases: s.phases,
	})
	return err
}

func (s *story) startStack(ctx context.Context) (err error) {
	options := s.options.Stack
	options.OnStep = func(step stack.Step) {
		switch {
		case !step.Ended:
			s.teller.tell(Progress{At: time.Now(), About: "Stack", Reason: step.Name})
		case step.Err == nil:
			s.phases = append(s.phases, PhaseTime{Phase: step.Name, Seconds: step.Took.Seconds()})
		}
	}
	if s.stack, err = stack.Start(ctx, options); err != nil {
		return err
	}
	s.failed = s.stack.Failed()
	s.config = s.stack.Management()
	s.config.UserAgent = fieldOwner
	s.management, err = newManagementClient(s.config)
	return err
}

// newManagementClient knows the kinds of the story.
func newManagementClient(config *rest.Config) (client.Client, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, clusterv1.AddToScheme, infrav1.AddToScheme, fleetwrightv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("register kinds: %w", err)
		}
	}
	management, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("connect to the management cluster: %w", err)
	}
	return management, nil
}

func (s *story) createCluster(ctx context.Context) error {
	objects, err := stack.ReadManifests(s.options.Flavour.example(), ".")
	if err != nil {
		return err
	}
	if err := stack.Apply(ctx, s.config, fieldOwner, objects); err != nil {
		return err
	}
	if err := s.createRegistry(ctx); err != nil {
		return err
	}
	if err := s.awaitCluster(ctx); err != nil {
		return err
	}
	for _, name := range []string{systemPool, poolName} {
		if err := s.awaitPool(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) startWorkload(ctx context.Context) error {
	config, err := clientcmd.BuildConfigFromFlags("", s.stack.Layout().ClusterKubeconfig(clusterName))
	if err != nil {
		return fmt.Errorf("read the kubeconfig of cluster %s: %w", clusterName, err)
	}
	config.UserAgent, config.QPS = fieldOwner, -1
	if s.workload, err = kubernetes.NewForConfig(config); err != nil {
		return fmt.Errorf("connect to cluster %s: %w", clusterName, err)
	}
	objects, err := stack.ReadManifests(clusterandnodepools.Manifests, "workload")
	if err != nil {
		return err
	}
	if err := fromRegistry(objects); err != nil {
		return err
	}
	if err := stack.Apply(ctx, config, fieldOwner, objects); err != nil {
		return err
	}
	if err := s.awaitWorkload(ctx); err != nil {
		return err
	}
	if err := s.awaitRegistry(ctx); err != nil {
		return err
	}
	s.witnesses, err = s.startWitnesses(ctx)
	return err
}

func (s *story) changeMachineType(ctx context.Context) error {
	if err := s.edit(ctx, "Nodepool", poolName, newMachine, "spec", "machineType"); err != nil {
		return err
	}
	return s.awaitPool(ctx, poolName)
}

func (s *story) upgradeControlPlane(ctx context.Context) error {
	if err := s.edit(ctx, s.options.Flavour.controlPlaneKind(), clusterName, newVersion, "spec", "version"); err != nil {
		return err
	}
	return s.awaitControlPlane(ctx, newVersion)
}

func (s *story) changeVersion(ctx context.Context) error {
	if err := s.edit(ctx, "Nodepool", poolName, newVersion, "spec", "version"); err != nil {
		return err
	}
	return s.awaitPool(ctx, poolName)
}

// edit applies one object of the example again with one field changed, and keeps what earlier edits have changed.
func (s *story) edit(ctx context.Context, kind, name, value string, field ...string) error {
	objects, err := stack.ReadManifests(s.options.Flavour.example(), ".")
	if err != nil {
		return err
	}
	for _, object := range objects {
		if object.GetKind() != kind || object.GetName() != name {
			continue
		}
		if kind == "Nodepool" && field[1] == "version" {
			if err := unstructured.SetNestedField(object.Object, newMachine, "spec", "machineType"); err != nil {
				return fmt.Errorf("edit %s %s: %w", kind, name, err)
			}
		}
		if err := unstructured.SetNestedField(object.Object, value, field...); err != nil {
			return fmt.Errorf("edit %s %s: %w", kind, name, err)
		}
		return stack.Apply(ctx, s.config, fieldOwner, []*unstructured.Unstructured{object})
	}
	return fmt.Errorf("the example has no %s %s", kind, name)
}
