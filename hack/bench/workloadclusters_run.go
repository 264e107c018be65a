package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// standstill is how long no cluster may become ready before a run is given up.
const standstill = 5 * time.Minute

// clustersRun is what was seen of one side making all clusters once. Times are in seconds, memory in MiB.
type clustersRun struct {
	Side     side `json:"side"`
	Repeat   int  `json:"repeat"`
	Clusters int  `json:"clusters"`
	// Applied is how long it took to write all objects, Whole from the first of them until all clusters were ready.
	Applied float64 `json:"applied"`
	Whole   float64 `json:"whole"`
	// Ready and Served are those of each cluster, from its own first object on, in the order of writing: Ready by WorkloadCluster, on the plain side
	// the same as Served; Served by Cluster API, the cluster available and all nodes ready.
	Ready  []float64 `json:"ready"`
	Served []float64 `json:"served"`
	// Networks is how many virtual networks there were, none of which overlapped another.
	Networks int `json:"networks"`

	Operator *processSeen `json:"operator,omitempty"`
	Stack    processSeen  `json:"stack"`
	// Audited are requests to the management API server by who and what, Azure those to Azure by who and method; Counts see operatorCounts.
	Audited counts     `json:"audited"`
	Azure   counts     `json:"azure"`
	Counts  counts     `json:"counts,omitempty"`
	Steps   []stepSeen `json:"steps,omitempty"`
	Idle    idleSeen   `json:"idle"`
}

// processSeen is one process while the clusters were made.
type processSeen struct {
	Before      float64 `json:"privateBefore"`
	PeakPrivate float64 `json:"peakPrivate"`
	Peak        float64 `json:"peakRSS"`
	Processor   float64 `json:"processor"`
}

// idleSeen is what goes on when all are ready, per minute.
type idleSeen struct {
	Operator float64 `json:"operatorMillicores"`
	Stack    float64 `json:"stackMillicores"`
	Private  float64 `json:"operatorPrivate"`
	Audited  counts  `json:"audited"`
	Azure    counts  `json:"azure"`
	Counts   counts  `json:"counts,omitempty"`
}

// stage is a run under way.
type stage struct {
	clustersBench
	side     side
	stack    *stackProcess
	client   client.WithWatch
	azure    *azure
	arrivals *arrivals
	out      clustersRun
}

// run starts a stack, has one side make the clusters, and looks at what it costs.
func (c clustersBench) run(ctx context.Context, root string, s side) (out clustersRun, err error) {
	args := []string{"--shared-workload", "--audit-reads"}
	if s == plain {
		args = append(args, "--operator", "none")
	}
	process, err := startStack(ctx, root, args...)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, process.stop()) }()
	st := &stage{clustersBench: c, side: s, stack: process, arrivals: newArrivals(), out: clustersRun{Side: s, Clusters: c.clusters}}
	if st.client, err = watchingClient(process.kubeconfig()); err != nil {
		return out, err
	}
	if st.azure, err = process.azure(); err != nil {
		return out, err
	}
	if err := st.azure.createRegistry(ctx); err != nil {
		return out, err
	}
	if err := st.create(ctx, groundwork(c.clusters)); err != nil {
		return out, err
	}
	if err := st.makeClusters(ctx); err != nil {
		return out, err
	}
	return st.out, st.rest(ctx)
}

func watchingClient(kubeconfig string) (client.WithWatch, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the management cluster's kubeconfig: %w", err)
	}
	config.UserAgent, config.QPS = fieldOwner, -1
	config.WarningHandlerWithContext = rest.NoWarnings{} // CAPZ's kinds say with each write that they are deprecated
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), fleetwrightv1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("connect to the management cluster: %w", err)
	}
	return c, nil
}

func (s *stage) create(ctx context.Context, objects []client.Object) error {
	for _, object := range objects {
		if err := s.client.Create(ctx, object, client.FieldOwner(fieldOwner)); err != nil {
			return fmt.Errorf("create %T %s: %w", object, client.ObjectKeyFromObject(object), err)
		}
	}
	return nil
}

// objects are what the n-th cluster is made from on this side.
func (s *stage) objects(n int) ([]client.Object, error) {
	if s.side == plain {
		return plainObjects(n)
	}
	return []client.Object{workloadCluster(n)}, nil
}

// makeClusters writes all objects and watches until every cluster is ready, while it counts.
func (s *stage) makeClusters(ctx context.Context) error {
	all := make([][]client.Object, s.clusters)
	for n := range all {
		objects, err := s.objects(n)
		if err != nil {
			return fmt.Errorf("make the objects of cluster %d: %w", n, err)
		}
		all[n] = objects
	}
	before, err := s.look(ctx)
	if err != nil {
		return err
	}
	following, stop := context.WithCancel(ctx)
	defer stop()
	group, following := errgroup.WithContext(following)
	for _, list := range s.watched() {
		group.Go(func() error { return s.arrivals.follow(following, s.client, list) })
	}
	group.Go(func() error { return s.azure.follow(following) })
	peaks := &peaks{stage: s}
	group.Go(func() error { return peaks.follow(following) })

	begun := make([]time.Time, len(all))
	for n, objects := range all {
		begun[n] = time.Now()
		if err := s.create(ctx, objects); err != nil {
			return err
		}
	}
	s.out.Applied = time.Since(begun[0]).Seconds()
	s.say("all objects are written after %.1f s", s.out.Applied)
	if err := s.awaitClusters(following); err != nil {
		stop()
		return errors.Join(err, group.Wait())
	}
	after, err := s.look(ctx)
	if err != nil {
		return err
	}
	if s.out.Audited, err = s.stack.audited(before.audit); err != nil {
		return err
	}
	stop()
	if err := group.Wait(); err != nil {
		return err
	}
	s.took(begun)
	s.spent(before, after, peaks)
	return s.judge(ctx)
}

// watched are the kinds by which arrivals are seen.
func (s *stage) watched() []client.ObjectList {
	lists := []client.ObjectList{clusterAPIList(clusterKind), clusterAPIList(machinePoolKind)}
	if s.side == ours {
		lists = append(lists, &fleetwrightv1.WorkloadClusterList{})
	}
	return lists
}

// awaitClusters says now and then how far it is, and gives up when no cluster has become ready for a long time.
func (s *stage) awaitClusters(ctx context.Context) error {
	left, moved, told := s.clusters, time.Now(), time.Now()
	for {
		missing, example := s.arrivals.missing(s.side, s.clusters)
		if missing == 0 {
			return nil
		}
		if missing < left {
			left, moved = missing, time.Now()
		}
		if time.Since(moved) > standstill {
			return fmt.Errorf("%d of %d clusters are not ready, and none became so for %s; %s", missing, s.clusters, standstill, example)
		}
		if time.Since(told) > 15*time.Second {
			told = time.Now()
			s.say("%d of %d are ready; %s", s.clusters-missing, s.clusters, example)
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// took writes down when the clusters were there.
func (s *stage) took(begun []time.Time) {
	a := s.arrivals
	a.mu.Lock()
	defer a.mu.Unlock()
	s.out.Ready, s.out.Served = since(begun, a.of(s.side)), since(begun, a.served)
	for _, at := range a.of(s.side) {
		s.out.Whole = max(s.out.Whole, at.Sub(begun[0]).Seconds())
	}
}

// judge is what can fail besides that a cluster never gets ready: networks that have addresses in common.
func (s *stage) judge(ctx context.Context) error {
	networks, err := s.azure.networks(ctx)
	if err != nil {
		return err
	}
	if one, other, found := overlap(networks); found {
		return fmt.Errorf("two networks overlap: %s and %s", one, other)
	}
	if s.out.Networks = len(networks); len(networks) != s.clusters {
		return fmt.Errorf("%d clusters have %d networks", s.clusters, len(networks))
	}
	if s.side == plain {
		return nil
	}
	s.out.Steps, err = s.steps(ctx)
	return err
}

// reading is what all counters say at one time.
type reading struct {
	load
	audit int64
	azure counts
	// counts is nil without an operator.
	counts counts
}

func (s *stage) look(ctx context.Context) (r reading, err error) {
	if err := s.azure.count(ctx); err != nil {
		return r, err
	}
	r.azure = s.azure.counted()
	if r.audit, err = s.stack.auditSize(); err != nil {
		return r, err
	}
	if r.stackMemory, err = memoryOf(s.stack.record.PID); err != nil {
		return r, err
	}
	if r.stack, err = processorTime(s.stack.record.PID); err != nil {
		return r, err
	}
	if s.side == plain {
		return r, nil
	}
	operator, err := s.stack.operator()
	if err != nil {
		return r, err
	}
	if r.operatorMemory, err = memoryOf(operator); err != nil {
		return r, err
	}
	if r.operator, err = processorTime(operator); err != nil {
		return r, err
	}
	r.counts, err = s.stack.operatorCounts(ctx)
	return r, err
}

func (s *stage) spent(before, after reading, p *peaks) {
	const mib = float64(mebibyte)
	s.out.Stack = processSeen{
		Before: float64(before.stackMemory.private) / mib, PeakPrivate: float64(max(p.stack, after.stackMemory.private)) / mib,
		Peak: float64(after.stackMemory.peak) / mib, Processor: (after.stack - before.stack).Seconds(),
	}
	s.out.Azure = after.azure.minus(before.azure)
	if s.side == plain {
		return
	}
	s.out.Operator = &processSeen{
		Before: float64(before.operatorMemory.private) / mib, PeakPrivate: float64(max(p.operator, after.operatorMemory.private)) / mib,
		Peak: float64(after.operatorMemory.peak) / mib, Processor: (after.operator - before.operator).Seconds(),
	}
	s.out.Counts = after.counts.minus(before.counts)
}

// rest lets the stack rest and then measures what goes on.
func (s *stage) rest(ctx context.Context) error {
	s.say("letting it rest for %s ...", s.settle)
	if err := pause(ctx, s.settle); err != nil {
		return err
	}
	before, err := s.look(ctx)
	if err != nil {
		return err
	}
	if err := pause(ctx, s.window); err != nil {
		return err
	}
	after, err := s.look(ctx)
	if err != nil {
		return err
	}
	requests, err := s.stack.audited(before.audit)
	if err != nil {
		return err
	}
	millicores := func(used time.Duration) float64 { return 1000 * used.Seconds() / s.window.Seconds() }
	s.out.Idle = idleSeen{
		Operator: millicores(after.operator - before.operator), Stack: millicores(after.stack - before.stack),
		Private: float64(after.operatorMemory.private) / mebibyte, Audited: s.perMinute(requests), Azure: s.perMinute(after.azure.minus(before.azure)),
		Counts: s.perMinute(after.counts.minus(before.counts)),
	}
	return nil
}

func (s *stage) perMinute(c counts) counts {
	out := counts{}
	for first, row := range c {
		for second, n := range row {
			out.add(first, second, int(float64(n)/s.window.Minutes()+0.5))
		}
	}
	return out
}
