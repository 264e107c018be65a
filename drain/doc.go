// Package drain empties Kubernetes nodes through the eviction API, and nothing else.
//
// It is level-triggered: [Observe] reads the world into a [Snapshot], [Decide] turns the snapshot into a [Plan]
// without client, clock or memory, and [Evict] sends the plan's evictions once. The next look decides again, so a
// crash, a refusal or a lost answer needs no repair: the caller repeats the three calls, waiting Plan.CheckAgain
// in between, until Plan.Empty.
//
//	snapshot, err := drain.Observe(ctx, client, nodes, policy)
//	plan := drain.Decide(snapshot, policy, time.Now())
//	plan = plan.After(drain.Evict(ctx, client, plan, drain.Options{}))
//
// [Watcher] does the same without asking again and again: watches wake the same Decide.
//
// The package never deletes a pod, a node or anything else: where a budget or a webhook says no, the plan names the
// pod, the reason and the owner, and the caller decides what that means. It knows nothing of node pools, Cluster API
// or clouds; it reads Cluster API's pod label cluster.x-k8s.io/drain because workloads already carry it.
//
// One PodDisruptionBudget has at most one eviction in flight. Two at once collide on the budget's status inside
// kube-apiserver, which then sleeps about half a second per collision while it holds the request.
package drain
