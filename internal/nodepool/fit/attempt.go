package fit

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/sets"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodeunschedulable"
)

// attempt is one class asking node after node.
type attempt struct {
	*simulation
	class *class
	state fwk.CycleState
	// only are the nodes that can be asked, nil for all; others says why not the others.
	only   sets.Set[string]
	others *fwk.Status
	at     int
	said   []*fwk.Status
	// view is what spreading looks at; nil for pods that do not spread. counted pods were placed since ask.
	view    *view
	counted int
}

// ask begins with what the plugins find out for all nodes at once. Nil means that this rules all of them out.
func (s *simulation) ask(c *class) (*attempt, error) {
	t := &attempt{simulation: s, class: c, view: newView(c.info.Pod, s.nodes), said: make([]*fwk.Status, len(s.nodes.all))}
	if !s.pack {
		t.at = s.next
	}
	return t.again()
}

// again asks the same with what was placed meanwhile.
func (t *attempt) again() (*attempt, error) {
	c, s := t.class, t.simulation
	t.state = framework.NewCycleState()
	s.nodes.view = t.view
	result, status, by := s.scheduler.RunPreFilterPlugins(s.context, t.state, c.info.Pod)
	s.nodes.view = nil
	switch {
	case !status.IsSuccess() && s.context.Err() != nil:
		return nil, s.context.Err()
	case !status.IsSuccess(): // an error, too, is the plugin's word on this pod
		c.why = (&framework.FitError{Pod: c.info.Pod, NumAllNodes: len(s.nodes.all), Diagnosis: framework.Diagnosis{PreFilterMsg: status.Message()}}).Error()
		return nil, nil
	case !result.AllNodes():
		t.only = result.NodeNames
	}
	t.others = fwk.NewStatus(fwk.UnschedulableAndUnresolvable, fmt.Sprintf("node(s) didn't satisfy plugin(s) %v", sets.List(by)))
	return t, nil
}

// find returns the next node that takes one of the pods, nil if none does. A plugin that fails says so of this pod, most
// often of what its owner wrote, and must not keep the answer from all others.
func (t *attempt) find() (*framework.NodeInfo, error) {
	n := len(t.nodes.all)
	for i := range n {
		at := (t.at + i) % n
		node := t.nodes.all[at].(*framework.NodeInfo)
		switch name := node.Node().Name; {
		case t.emptied.Has(name):
			t.said[at] = unschedulable
			continue
		case t.only != nil && !t.only.Has(name):
			t.said[at] = t.others
			continue
		}
		status := t.scheduler.RunFilterPlugins(t.context, t.state, t.class.info.Pod, node)
		if status.IsSuccess() {
			if t.at = at; !t.pack {
				t.at = (at + 1) % n
				t.next = t.at
			}
			return node, nil
		}
		if err := t.context.Err(); err != nil {
			return nil, err
		}
		if !status.IsRejected() {
			status = fwk.NewStatus(fwk.UnschedulableAndUnresolvable, status.Message())
		}
		t.said[at] = status
	}
	return nil, t.context.Err()
}

// unschedulable is what a node that is emptied says.
var unschedulable = fwk.NewStatus(fwk.UnschedulableAndUnresolvable, nodeunschedulable.ErrReasonUnschedulable)

// words are the scheduler's own for a pod that no node took.
func (t *attempt) words() string {
	said := framework.NewDefaultNodeToStatus()
	for i, status := range t.said {
		if status != nil {
			said.Set(t.nodes.all[i].Node().Name, status)
		}
	}
	return (&framework.FitError{Pod: t.class.info.Pod, NumAllNodes: len(t.nodes.all), Diagnosis: framework.Diagnosis{NodeToStatus: said}}).Error()
}

// placed lets the plugins count the pod that the node took. Spreading is asked anew after every second: it knows the two
// emptiest domains alone, which is true for one more pod than a scheduler places, and then no longer.
func (t *attempt) placed(node *framework.NodeInfo) (*attempt, error) {
	pod := t.class.info.Pod
	if t.view != nil {
		t.view.add(node.Node().Name, t.class.info)
		if t.counted++; t.counted%2 == 0 {
			return t.again()
		}
	}
	if status := t.scheduler.RunPreFilterExtensionAddPod(t.context, t.state, pod, t.class.info, node); !status.IsSuccess() {
		t.class.why = status.Message()
		return nil, t.context.Err()
	}
	return t, nil
}
