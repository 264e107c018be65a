package status

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/printers"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var now = time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC)

func ago(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(-d)) }

func says(kind string, status metav1.ConditionStatus, reason, message string, since time.Duration) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message, LastTransitionTime: ago(since)}
}

// draining is a Nodepool in the middle of a replacement that a budget holds up.
func draining() fleetwrightv1.Nodepool {
	const budget = "PodDisruptionBudget shop/cart allows 0 of 3: 2 ready, 2 needed"
	message := "pool generala: 3 of 6 nodes empty, 14 pods left; waits for pod shop/cart-7d9 and 2 more (" + budget + ")"
	return fleetwrightv1.Nodepool{
		ObjectMeta: metav1.ObjectMeta{Namespace: "prod-eu", Name: "prod-eu-1-general", Generation: 4},
		Spec:       fleetwrightv1.NodepoolSpec{ClusterName: "prod-eu-1", Version: "v1.34.2", MachineType: "Standard_D8s_v5"},
		Status: fleetwrightv1.NodepoolStatus{
			ObservedGeneration: 4, Replicas: new(int32(11)), ReadyReplicas: new(int32(5)), Version: "v1.33.4",
			NextWindowTime: metav1.NewTime(now.Add(21 * time.Hour)),
			Conditions: []metav1.Condition{
				says("Ready", "False", "DrainingBlue", message, 42*time.Minute),
				says("Available", "True", "Available", "5 nodes take pods, 3 are promised", 9*24*time.Hour),
				says("UpToDate", "False", "ReplacementNeeded", "version v1.33.4 -> v1.34.2", 2*time.Hour),
				says("RollingOut", "True", "DrainingBlue", message, 2*time.Hour),
				says("DrainBlocked", "True", "PodDisruptionBudget", "pod shop/cart-7d9 and 2 more ("+budget+"); its owner is Deployment/cart; since 2026-11-26T02:27:00Z", 31*time.Minute),
				says("Deleting", "False", "NotDeleting", "", 9*24*time.Hour),
				says("Paused", "False", "NotPaused", "", 9*24*time.Hour),
			},
			Pools: []fleetwrightv1.NodepoolPoolStatus{
				{Name: "generala", Role: "Outgoing", MachinePool: "prod-eu-1-general-a", Replicas: new(int32(6)), ReadyReplicas: new(int32(0)), Version: "v1.33.4"},
				{Name: "generalb", Role: "Incoming", MachinePool: "prod-eu-1-general-b", Replicas: new(int32(5)), ReadyReplicas: new(int32(5)), Version: "v1.34.2"},
			},
			Replacement: fleetwrightv1.ReplacementStatus{
				Step: "DrainingBlue", Strategy: "FullGreen", StrategyMessage: "a whole new pool fits", StartedTime: ago(2 * time.Hour),
				Changes:    []fleetwrightv1.ReplacementChange{{Field: "version", From: "v1.33.4", To: "v1.34.2", Effect: "Replace"}},
				NodesTotal: new(int32(6)), NodesDrained: new(int32(3)), PodsRemaining: new(int32(14)), BlockersTotal: new(int32(12)),
				Blockers: []fleetwrightv1.DrainBlocker{
					{
						Namespace: "shop", Pod: "cart-7d9", Pods: 3, Node: "aks-generala-2", Reason: "PodDisruptionBudget", Budget: "cart", Owner: "Deployment/cart",
						SinceTime: ago(33 * time.Minute), Message: budget,
					},
					{
						Namespace: "shop", Pod: "debug", Node: "aks-generala-0", Reason: "UnmanagedPod", SinceTime: ago(2 * time.Hour),
						Message: "no controller would bring it back, move or delete it by hand",
					},
				},
				Forecast: fleetwrightv1.ReplacementForecast{
					Nodes: new(int32(6)), Pods: new(int32(43)), PeakNodes: new(int32(17)), DrainSecondsLow: new(int32(240)), DrainSecondsHigh: new(int32(1380)),
					Warnings: []string{"Deployment shop/admin has a single pod and no PodDisruptionBudget: it is away for as long as a new pod takes to become ready"},
				},
			},
		},
	}
}

func fleet() []fleetwrightv1.Nodepool {
	made := func(name string, generation int64, conditions ...metav1.Condition) fleetwrightv1.Nodepool {
		return fleetwrightv1.Nodepool{
			ObjectMeta: metav1.ObjectMeta{Namespace: "prod-eu", Name: name, Generation: generation},
			Spec:       fleetwrightv1.NodepoolSpec{ClusterName: "prod-eu-1", MachineType: "Standard_D4s_v5"},
			Status:     fleetwrightv1.NodepoolStatus{ObservedGeneration: 1, Conditions: conditions, Replicas: new(int32(3)), ReadyReplicas: new(int32(3)), Version: "v1.34.2"},
		}
	}
	waiting := made("prod-eu-1-batch", 1,
		says("Ready", "True", "Ready", "waits to create pool batchb: AKS allows one operation per cluster and is deleting pool generala", time.Hour),
		says("RollingOut", "False", "WaitingForSlot", "waits to create pool batchb: AKS allows one operation per cluster and is deleting pool generala", time.Hour))
	waiting.Status.Replacement.Step = "WaitingForSlot"
	frozen := says("Paused", "True", "Frozen", "Freeze fleetwright-system/black-friday (Paused) until 2026-12-01T06:00:00Z: no risk this week; nothing is held back", time.Hour)
	edited := made("prod-eu-1-system", 2, says("Ready", "True", "Ready", "pool systema runs v1.34.2 on 3 ready nodes of Standard_D4s_v5", time.Hour), frozen)
	fresh := fleetwrightv1.Nodepool{ObjectMeta: metav1.ObjectMeta{Namespace: "prod-us", Name: "prod-us-1-new", Generation: 1}, Spec: fleetwrightv1.NodepoolSpec{ClusterName: "prod-us-1"}}
	held := made("prod-eu-1-gpu", 1, says("Ready", "True", "Ready", "pool gpua runs v1.34.2 on 3 ready nodes of Standard_D4s_v5", time.Hour), frozen)
	return []fleetwrightv1.Nodepool{waiting, draining(), held, edited, fresh}
}

func TestViews(t *testing.T) {
	cluster := &fleetwrightv1.NodepoolList{Items: fleet()[:4]}
	events := []corev1.Event{
		{LastTimestamp: ago(31 * time.Minute), Type: "Warning", Reason: "DrainBlocked", Message: "pod shop/cart-7d9 and 2 more (PodDisruptionBudget shop/cart allows 0 of 3: 2 ready, 2 needed); its owner is Deployment/cart; since 2026-11-26T02:27:00Z"},
		{EventTime: metav1.NewMicroTime(now.Add(-2 * time.Hour)), Type: "Normal", Reason: "CreatingGreen", Message: "creates pool generalb for version v1.33.4 -> v1.34.2"},
	}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"fleet": func(out *bytes.Buffer) error {
			return newTable(out, printers.PrintOptions{WithNamespace: true}).add(fleet()...)
		},
		"fleet-wide": func(out *bytes.Buffer) error {
			return newTable(out, printers.PrintOptions{Wide: true}).add(fleet()...)
		},
		"cluster": func(out *bytes.Buffer) error {
			return writeCluster(out, "prod-eu-1", cluster, printers.PrintOptions{})
		},
		"pool": func(out *bytes.Buffer) error {
			np := draining()
			return writePool(out, &np, events, nil, now)
		},
		"pool-new": func(out *bytes.Buffer) error {
			return writePool(out, &fleet()[4], nil, os.ErrPermission, now)
		},
		"pool-frozen-and-edited": func(out *bytes.Buffer) error {
			return writePool(out, &fleet()[3], nil, nil, now)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := write(&out); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), out.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// What tenants write must not move the cursor of the person on call.
func TestTextIsEscaped(t *testing.T) {
	np := draining()
	np.Status.Conditions[0].Message = "\x1b[2Jall is well"
	np.Status.Replacement.StrategyMessage = "\x1b[31mred"
	np.Status.Replacement.Forecast.Warnings = []string{"\x1b]0;title\x07"}
	var out bytes.Buffer
	if err := writePool(&out, &np, nil, nil, now); err != nil {
		t.Fatal(err)
	}
	if err := newTable(&out, printers.PrintOptions{}).add(np); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Errorf("an escape sequence is in:\n%q", &out)
	}
}

// Of one thing it does not speak as of many.
func TestOneIsNotMany(t *testing.T) {
	np := draining()
	r := &np.Status.Replacement
	r.NodesDrained, r.NodesTotal, r.PodsRemaining = new(int32(0)), new(int32(1)), new(int32(1))
	r.Forecast.Nodes, r.Forecast.Pods, r.Forecast.PeakNodes = new(int32(1)), new(int32(1)), new(int32(1))
	var out bytes.Buffer
	if err := writePool(&out, &np, nil, nil, now); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0 of 1 node drained, 1 pod left", "1 node and 1 pod leave", "1 node in the cluster"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in:\n%s", want, &out)
		}
	}
}

// The page shows what the command prints, but for spaces at the end of lines.
func TestPageShowsTheViews(t *testing.T) {
	page, err := os.ReadFile("../../../docs/kubectl-plugin.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fleet", "cluster", "pool"} {
		golden, err := os.ReadFile(filepath.Join("testdata", name+".golden"))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(golden), "\n")
		for i := range lines {
			lines[i] = strings.TrimRight(lines[i], " ")
		}
		if view := strings.Join(lines, "\n"); !strings.Contains(string(page), view) {
			t.Errorf("docs/kubectl-plugin.md does not show the view %s:\n%s", name, view)
		}
	}
}
