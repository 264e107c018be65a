package fit

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestPodsFitOrTheSchedulerSaysWhyNot(t *testing.T) {
	dataClaim, dataDisk := disk("data", "eu-2")
	secondClaim, secondDisk := disk("second", "eu-2")
	disks := func(c cluster) cluster {
		c.claims = append(c.claims, dataClaim, secondClaim)
		c.disks = append(c.disks, dataDisk, secondDisk)
		return c
	}
	foreign := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "bad-0-tmp"}}
	tests := map[string]struct {
		give cluster
		want Report
	}{
		"room for all": {
			cluster{nodes: []*corev1.Node{node("new-1"), node("new-2")}, pods: pods("cart", 8, "old-1", "500m")},
			Report{Moving: 8},
		},
		"what others ask for is taken": {
			cluster{nodes: []*corev1.Node{node("new-1")}, pods: slices.Concat(pods("cart", 2, "old-1", "1"), pods("web", 1, "new-1", "500m"))},
			Report{Moving: 2, Unfit: 1, Kinds: 1, Misfits: []Misfit{{"shop", "cart-0", 1, "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable"}}},
		},
		"what stays behind holds no place elsewhere, and daemons do not move": {
			cluster{nodes: []*corev1.Node{node("new-1")}, pods: slices.Concat(pods("cart", 2, "old-1", "1"), pods("logs", 1, "old-1", "500m", daemon))},
			Report{Moving: 2},
		},
		"taint that nobody tolerates": {
			cluster{nodes: []*corev1.Node{node("new-1", tainted("gpu"))}, pods: pods("cart", 1, "old-1", "1")},
			Report{Moving: 1, Unfit: 1, Kinds: 1, Misfits: []Misfit{{"shop", "cart-0", 1, "0/2 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable"}}},
		},
		"selector of the old pool's own label": {
			cluster{nodes: []*corev1.Node{node("new-1", labelled("agentpool", "green"))}, pods: pods("cart", 3, "old-1", "100m", selects("agentpool", "blue"))},
			Report{Moving: 3, Unfit: 3, Kinds: 1, Misfits: []Misfit{{"shop", "cart-0", 3, "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) were unschedulable"}}},
		},
		"a node that is not ready, or closed, takes none": {
			cluster{nodes: []*corev1.Node{node("new-1", notReady), node("new-2", cordoned)}, pods: pods("cart", 1, "old-1", "100m")},
			Report{Moving: 1, Unfit: 1, Kinds: 1, Misfits: []Misfit{{"shop", "cart-0", 1, "0/3 nodes are available: 3 node(s) were unschedulable"}}},
		},
		"a taint that the node's own word has overtaken": {
			cluster{nodes: []*corev1.Node{node("new-1", tainted(corev1.TaintNodeNotReady), tainted(corev1.TaintNodeUnschedulable))}, pods: pods("cart", 1, "old-1", "100m")},
			Report{Moving: 1},
		},
		"replicas apart need a node each": {
			cluster{nodes: []*corev1.Node{node("new-1"), node("new-2")}, pods: pods("cart", 3, "old-1", "100m", apart(corev1.LabelHostname))},
			Report{Moving: 3, Unfit: 1, Kinds: 1, Misfits: []Misfit{
				{"shop", "cart-0", 1, "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match pod anti-affinity rules"},
			}},
		},
		"a pod beside one that moves later": {
			cluster{nodes: []*corev1.Node{node("new-1"), node("new-2")}, pods: slices.Concat(pods("big", 1, "old-1", "1", beside("small")), pods("small", 1, "old-1", "100m"))},
			Report{Moving: 2},
		},
		"spread over zones that are there": {
			cluster{nodes: []*corev1.Node{node("new-1"), node("new-2", zone("eu-2"))}, pods: pods("cart", 4, "old-1", "500m", spread(corev1.LabelTopologyZone))},
			Report{Moving: 4},
		},
		"spread over nodes, of which the closed ones count": {
			cluster{nodes: []*corev1.Node{node("new-1")}, pods: pods("cart", 2, "old-1", "500m", spread(corev1.LabelHostname))},
			Report{Moving: 2, Unfit: 1, Kinds: 1, Misfits: []Misfit{
				{"shop", "cart-0", 1, "0/2 nodes are available: 1 node(s) didn't match pod topology spread constraints, 1 node(s) were unschedulable"},
			}},
		},
		"spread over nodes that honours taints": {
			cluster{nodes: []*corev1.Node{node("new-1")}, pods: pods("cart", 2, "old-1", "500m", spread(corev1.LabelHostname, func(c *corev1.TopologySpreadConstraint) {
				c.NodeTaintsPolicy = new(corev1.NodeInclusionPolicyHonor)
			}))},
			Report{Moving: 2},
		},
		"disk in a zone without nodes": {
			disks(cluster{nodes: []*corev1.Node{node("new-1")}, pods: pods("db", 1, "old-1", "500m", claims("data"))}),
			Report{Moving: 1, Unfit: 1, Kinds: 1, Misfits: []Misfit{{"shop", "db-0", 1, "0/2 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity, 1 node(s) were unschedulable"}}},
		},
		"disk in a zone with a node": {
			disks(cluster{nodes: []*corev1.Node{node("new-1", zone("eu-2"))}, csi: nil, pods: pods("db", 1, "old-1", "500m", claims("data"))}),
			Report{Moving: 1},
		},
		"more disks than a node takes": {
			disks(cluster{
				nodes: []*corev1.Node{node("new-1", zone("eu-2"))}, csi: []*storagev1.CSINode{csiNode("new-1", 1)},
				pods: []*corev1.Pod{pod("db", 0, "old-1", "100m", claims("data")), pod("mq", 0, "old-1", "100m", claims("second"))},
			}),
			Report{Moving: 2, Unfit: 1, Kinds: 1, Misfits: []Misfit{{"shop", "mq-0", 1, "0/2 nodes are available: 1 node(s) exceed max volume count, 1 node(s) were unschedulable"}}},
		},
		"the autoscaler adds what is missing, with its daemons": {
			cluster{
				nodes: []*corev1.Node{node("new-1")}, growth: []Growth{{"green", []string{"new-1"}, 5}},
				pods: slices.Concat(pods("cart", 6, "old-1", "900m"), pods("logs", 1, "new-1", "300m", daemon)),
			},
			Report{Moving: 6, Grows: 5},
		},
		"it may not add enough": {
			cluster{
				nodes: []*corev1.Node{node("new-1")}, growth: []Growth{{"green", []string{"new-1"}, 1}}, pods: pods("cart", 5, "old-1", "1500m"),
			},
			Report{Moving: 5, Unfit: 3, Grows: 1, Short: 3, Kinds: 1, Misfits: []Misfit{
				{"shop", "cart-0", 3, "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu"},
			}},
		},
		"a disk finds a node that is not there yet": {
			disks(cluster{
				nodes: []*corev1.Node{node("new-1"), node("new-2", zone("eu-2"))}, growth: []Growth{{"green", []string{"new-1", "new-2"}, 1}},
				pods: slices.Concat(pods("db", 1, "old-1", "500m", claims("data")), pods("web", 1, "new-2", "2")),
			}),
			Report{Moving: 1, Grows: 1},
		},
		"more nodes are no help against a selector": {
			cluster{nodes: []*corev1.Node{node("new-1")}, growth: []Growth{{"green", []string{"new-1"}, 9}}, pods: pods("cart", 1, "old-1", "100m", selects("agentpool", "blue"))},
			Report{Moving: 1, Unfit: 1, Kinds: 1, Misfits: []Misfit{{"shop", "cart-0", 1, "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) were unschedulable"}}},
		},
		"a pod that waits for room comes first": {
			cluster{nodes: []*corev1.Node{node("new-1")}, pods: slices.Concat(pods("cart", 1, "old-1", "1500m"), pods("web", 1, "", "1"))},
			Report{Moving: 1, Unfit: 1, Kinds: 1, Misfits: []Misfit{{"shop", "cart-0", 1, "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable"}}},
		},
		"a pod that waited before holds nobody": {
			cluster{nodes: []*corev1.Node{node("new-1")}, pods: slices.Concat(pods("cart", 1, "old-1", "1500m"), pods("web", 1, "", "9"), pods("old", 1, "", "100m", selects("agentpool", "blue")))},
			Report{Moving: 1},
		},
		"a pod that keeps room warm gives way": {
			cluster{nodes: []*corev1.Node{node("new-1")}, pods: slices.Concat(
				pods("cart", 1, "old-1", "1500m"), pods("pause", 1, "new-1", "1", priority(-1)), pods("warm", 1, "", "1", priority(-10)),
			)},
			Report{Moving: 1},
		},
		"a pod of priority zero does not": {
			cluster{nodes: []*corev1.Node{node("new-1")}, pods: slices.Concat(pods("cart", 1, "old-1", "1500m"), pods("web", 1, "new-1", "1", priority(0)))},
			Report{Moving: 1, Unfit: 1, Kinds: 1, Misfits: []Misfit{{"shop", "cart-0", 1, "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable"}}},
		},
		"a pod that waits for a device, or for another scheduler, holds nobody": {
			cluster{nodes: []*corev1.Node{node("new-1")}, pods: slices.Concat(
				pods("cart", 1, "old-1", "1500m"), pods("train", 1, "", "1", device), pods("batch", 1, "", "1", scheduledBy("volcano")),
			)},
			Report{Moving: 1},
		},
		"a pod that has either holds its place": {
			cluster{nodes: []*corev1.Node{node("new-1")}, pods: slices.Concat(
				pods("cart", 1, "old-1", "1500m"), pods("train", 1, "new-1", "300m", device), pods("batch", 1, "new-1", "300m", scheduledBy("volcano")),
			)},
			Report{Moving: 1, Unfit: 1, Kinds: 1, Misfits: []Misfit{{"shop", "cart-0", 1, "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable"}}},
		},
		"a plugin that fails fails for that pod": {
			cluster{nodes: []*corev1.Node{node("new-1")}, claims: []*corev1.PersistentVolumeClaim{foreign}, pods: slices.Concat(
				pods("bad", 1, "old-1", "100m", scratch("tmp")), pods("cart", 1, "old-1", "100m"),
			)},
			Report{Moving: 2, Unfit: 1, Kinds: 1, Misfits: []Misfit{{
				"shop", "bad-0", 1, "0/2 nodes are available: 1 node(s) were unschedulable, 1 running \"NodeVolumeLimits\" filter plugin: " +
					"PVC shop/bad-0-tmp was not created for pod shop/bad-0 (pod is not owner)",
			}}},
		},
		"a pod that waits and fails holds nobody": {
			cluster{nodes: []*corev1.Node{node("new-1")}, claims: []*corev1.PersistentVolumeClaim{foreign}, pods: slices.Concat(
				pods("bad", 1, "", "2", scratch("tmp")), pods("cart", 1, "old-1", "1500m"),
			)},
			Report{Moving: 1},
		},
		"full nodes first leave room for the last": {
			cluster{nodes: []*corev1.Node{node("new-1"), node("new-2")}, pods: slices.Concat(pods("big", 2, "old-1", "1"), pods("small", 3, "old-1", "660m"))},
			Report{Moving: 5},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.give.nodes = append(test.give.nodes, node("old-1"))
			test.give.emptied = []string{"old-1"}
			check(t, test.want, test.give.check(t))
		})
	}
}

func TestACheckThatIsEndedKnowsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := cluster{nodes: []*corev1.Node{node("new-1"), node("old-1")}, emptied: []string{"old-1"}, pods: pods("cart", 1, "old-1", "9")}
	if report, err := Check(ctx, c.world()); !errors.Is(err, context.Canceled) {
		t.Errorf("Check() = %+v, %v", report, err)
	}
}

func TestAPluginThatFailsBeforeAnyNodeIsAskedFailsForThatPod(t *testing.T) {
	broken := spread(corev1.LabelHostname, func(c *corev1.TopologySpreadConstraint) {
		c.LabelSelector.MatchLabels = map[string]string{"no key": ""}
	})
	c := cluster{
		nodes: []*corev1.Node{node("new-1"), node("old-1")}, emptied: []string{"old-1"},
		pods: slices.Concat(pods("bad", 2, "old-1", "100m", broken), pods("cart", 1, "old-1", "100m")),
	}
	report := c.check(t)
	if report.Moving != 3 || report.Unfit != 2 || !strings.Contains(report.Misfits[0].Message, "obtaining pod's hard topology spread constraints") {
		t.Errorf("Check() = %+v", report)
	}
}
