package ladder

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// fewReads is how many objects of a kind are read one by one. For more it is one list, because a client is let make only so
// many requests a second, and a look that does not end in time does nothing.
const fewReads = 20

// told reads which of the events exist that would be written now, and what is behind the controllers of those that are
// written next.
func (o *observer) told(ctx context.Context) error {
	wanted := noticesDue(o.plan, o.policy, o.now)
	read := o.toldOneByOne
	if len(wanted) > fewReads {
		read = o.toldAll
	}
	if err := read(ctx, wanted); err != nil {
		return err
	}
	for _, n := range untold(wanted, o.facts.Told) {
		if err := o.workload(ctx, n.blocker); err != nil {
			return err
		}
	}
	return nil
}

func (o *observer) toldOneByOne(ctx context.Context, wanted []noticeDue) error {
	for _, n := range wanted {
		_, err := o.client.CoreV1().Events(n.blocker.Pod.Namespace).Get(ctx, n.name, metav1.GetOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		if err == nil {
			o.facts.Told[n.key()] = true
		}
	}
	return nil
}

func (o *observer) toldAll(ctx context.Context, wanted []noticeDue) error {
	known := map[string]bool{}
	for _, n := range wanted {
		known[n.key()] = true
	}
	options := metav1.ListOptions{FieldSelector: "reason=" + EventReason}
	return each(ctx, o.client.CoreV1().Events(metav1.NamespaceAll).List, options, func(e *corev1.Event) {
		if key := e.Namespace + "/" + e.Name; known[key] {
			o.facts.Told[key] = true
		}
	})
}

// nodes reads the nodes that are given up or to be given up.
func (o *observer) nodes(ctx context.Context) error {
	wanted := map[string]bool{}
	for _, n := range o.plan.Nodes {
		if n.Quarantined {
			wanted[n.Name] = true
		}
	}
	for _, b := range o.plan.Blockers {
		if quarantineDue(b, o.now) {
			for _, name := range nodesOf(b) {
				wanted[name] = true
			}
		}
	}
	if len(wanted) > fewReads {
		return each(ctx, o.client.CoreV1().Nodes().List, metav1.ListOptions{}, func(n *corev1.Node) {
			if wanted[n.Name] {
				o.facts.Nodes[n.Name] = slimNode(n)
			}
		})
	}
	for name := range wanted {
		node, err := o.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		o.facts.Nodes[name] = slimNode(node)
	}
	return nil
}
