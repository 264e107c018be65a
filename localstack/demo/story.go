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
	"sigs.k8s.io/controller-runtime/pkg/client"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/examples/quickstart"
	"github.com/fleetwright/fleetwright/localstack/stack"
)

// What the example is called and what the story does with it. The test of this package reads the same names in the example's files.
const (
	namespace    = "default"
	clusterName  = "quickstart"
	poolName     = "general"
	nodepoolName = clusterName + "-" + poolName

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
	// Flavour says which kinds of CAPZ hold the cluster. Default ASO.
	Flavour Flavour
	// Patience multiplies the time limits of all steps. Default 1.
	Patience float64
}

// story is one telling.
type story struct {
	options Options
	teller  *teller
	report  *Report

	// wish is the one resource, as its file is by now.
	wish       *unstructured.Unstructured
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
		o.Flavour = ASO
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
		{"Create a cluster from one resource", 3 * time.Minute, s.createCluster},
		{"Start a workload with disruption budgets", 2 * time.Minute, s.startWorkload},
		{"Replace a pool: machineType becomes " + newMachine, 4 * time.Minute, s.changeMachineType},
		{"Upgrade the cluster: version becomes " + newVersion, 6 * time.Minute, s.upgrade},
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
		corev1.AddToScheme, infrav1.AddToScheme, fleetwrightv1.AddToScheme,
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

// createCluster applies what clusters have in common, and then one resource.
func (s *story) createCluster(ctx context.Context) error {
	platform, err := stack.ReadManifests(quickstart.Manifests, "platform")
	if err != nil {
		return err
	}
	if err := stack.Apply(ctx, s.config, fieldOwner, platform); err != nil {
		return err
	}
	if err := s.createRegistry(ctx); err != nil {
		return err
	}
	if s.wish, err = s.options.Flavour.example(); err != nil {
		return err
	}
	if err := s.apply(ctx); err != nil {
		return err
	}
	if err := s.awaitCreated(ctx); err != nil {
		return err
	}
	return s.tellRegistry(ctx)
}

// apply applies the one resource as its file is by now. What the API server answers goes into a copy.
func (s *story) apply(ctx context.Context) error {
	return stack.Apply(ctx, s.config, fieldOwner, []*unstructured.Unstructured{s.wish.DeepCopy()})
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
	if err := s.proveAddon(ctx); err != nil {
		return err
	}
	objects, err := stack.ReadManifests(quickstart.Manifests, "workload")
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
	s.witnesses, err = s.startWitnesses(ctx)
	return err
}

func (s *story) changeMachineType(ctx context.Context) error {
	return s.edit(ctx, func(spec map[string]any) error {
		pools, _, err := unstructured.NestedSlice(spec, "nodepools")
		if err != nil {
			return err
		}
		for i := range pools {
			if pool, ok := pools[i].(map[string]any); ok && pool["name"] == poolName {
				if err := unstructured.SetNestedField(pool, newMachine, "spec", "machineType"); err != nil {
					return err
				}
				return unstructured.SetNestedSlice(spec, pools, "nodepools")
			}
		}
		return fmt.Errorf("the example has no pool %s", poolName)
	})
}

// upgrade asks for another version of everything: the control plane first, then one pool after the other.
func (s *story) upgrade(ctx context.Context) error {
	return s.edit(ctx, func(spec map[string]any) error { return unstructured.SetNestedField(spec, newVersion, "version") })
}

// edit changes the one resource as an edit of its file would, applies it again, and waits until that has been done.
func (s *story) edit(ctx context.Context, change func(spec map[string]any) error) error {
	spec, ok := s.wish.Object["spec"].(map[string]any)
	if !ok {
		return errors.New("the example has no spec")
	}
	if err := change(spec); err != nil {
		return fmt.Errorf("edit WorkloadCluster %s: %w", clusterName, err)
	}
	if err := s.apply(ctx); err != nil {
		return err
	}
	return s.awaitChanged(ctx)
}
