package fit

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// Check tells which of the pods that move have no place. Pods that wait for one already take theirs first, and those of
// them that have none are not reported: they had none before. What the scheduler's plugins cannot tell of a pod is why
// that pod has no place. With an error nothing is known: ctx has ended, or the plugins do not start.
//
// The pods are put onto one node after the other, as the scheduler spreads them. Where some are left over, it is tried
// again with full nodes first, so that the order in which we place them is not what keeps a pod out.
func Check(ctx context.Context, w World) (Report, error) {
	ctx = klog.NewContext(ctx, logr.Discard()) // what the plugins tell the scheduler's operators, of thousands of pods
	report, err := run(ctx, &w, false)
	if err != nil || report.Unfit == 0 {
		return report, err
	}
	packed, err := run(ctx, &w, true)
	if err != nil || packed.Unfit >= report.Unfit {
		return report, err
	}
	return packed, nil
}

// class are the pods that move, or wait, and are alike.
type class struct {
	info  *framework.PodInfo
	names []string
	size  float64
	// left have no place, for the reason why.
	left int
	why  string
}

func run(ctx context.Context, w *World, pack bool) (Report, error) {
	s, err := newSimulation(ctx, w, pack)
	if err != nil {
		return Report{}, err
	}
	defer s.scheduler.stop()
	waiting, moving := s.classes()
	var report Report
	for _, c := range moving {
		report.Moving += len(c.names)
	}
	for _, classes := range [][]*class{waiting, moving} {
		if err := s.placeAll(classes); err != nil {
			return Report{}, err
		}
	}
	report.Grows = s.grown
	unfit := slices.DeleteFunc(moving, func(c *class) bool { return c.left == 0 })
	for _, c := range unfit {
		pod := c.info.GetPod()
		report.add(Misfit{Namespace: pod.Namespace, Name: c.names[0], Pods: c.left, Message: c.why})
	}
	report.sort()
	if report.Short, err = s.short(unfit); err != nil {
		return Report{}, err
	}
	return report, nil
}

// simulation is a cluster that fills up.
type simulation struct {
	context   context.Context //nolint:containedctx // lives for one Check
	world     *World
	scheduler *scheduler
	nodes     *nodeList
	emptied   sets.Set[string]
	infos     map[*corev1.Pod]*framework.PodInfo
	broken    map[*corev1.Pod]error
	pools     []*growing
	// grown is how many nodes were added; beyond lets the first pool have more than it may.
	grown  int
	beyond bool
	// pack fills nodes up; next is where the next pod is tried first.
	pack bool
	next int
}

func newSimulation(ctx context.Context, w *World, pack bool) (*simulation, error) {
	s := &simulation{
		context: ctx, world: w, emptied: sets.New(w.Emptied...), pack: pack,
		nodes: &nodeList{byName: make(map[string]*framework.NodeInfo, len(w.Nodes)), like: map[string]string{}},
		infos: map[*corev1.Pod]*framework.PodInfo{}, broken: map[*corev1.Pod]error{},
	}
	for _, node := range slices.SortedFunc(slices.Values(w.Nodes), func(a, b *corev1.Node) int { return cmp.Compare(a.Name, b.Name) }) {
		if s.emptied.Has(node.Name) {
			node = closed(node)
		}
		info := framework.NewNodeInfo()
		info.SetNode(node)
		s.nodes.add(info)
	}
	daemons := map[string][]*framework.PodInfo{}
	for i := range w.Pods {
		p := &w.Pods[i]
		if node := s.nodes.byName[p.Node]; node != nil && !p.Moves {
			node.AddPodInfo(s.info(p.Alike))
			if p.Daemon {
				daemons[p.Node] = append(daemons[p.Node], s.info(p.Alike))
			}
		}
	}
	s.pools = growths(w, s.nodes, daemons)
	var err error
	s.scheduler, err = newScheduler(ctx, w, s.nodes)
	return s, err
}

// info is what the scheduler makes of a pod, once for all that are alike.
func (s *simulation) info(pod *corev1.Pod) *framework.PodInfo {
	info, found := s.infos[pod]
	if !found {
		var err error
		if info, err = framework.NewPodInfo(pod); err != nil {
			s.broken[pod] = err
		}
		s.infos[pod] = info
	}
	return info
}

// classes are the pods that wait for a place and those that move, the biggest first.
func (s *simulation) classes() (waiting, moving []*class) {
	var cpu, memory int64
	for _, n := range s.nodes.all {
		cpu, memory = cpu+n.GetAllocatable().GetMilliCPU(), memory+n.GetAllocatable().GetMemory()
	}
	for i, of := range []*[]*class{&waiting, &moving} {
		byPod := map[*corev1.Pod]*class{}
		for j := range s.world.Pods {
			p := &s.world.Pods[j]
			if p.Moves != (i == 1) || !p.Moves && p.Node != "" {
				continue
			}
			c := byPod[p.Alike]
			if c == nil {
				c = &class{info: s.info(p.Alike)}
				needs := c.info.CalculateResource().Resource
				c.size = max(float64(needs.GetMilliCPU())/float64(max(cpu, 1)), float64(needs.GetMemory())/float64(max(memory, 1)))
				byPod[p.Alike] = c
				*of = append(*of, c)
			}
			c.names = append(c.names, p.Name)
		}
		for _, c := range *of {
			slices.Sort(c.names)
			c.left = len(c.names)
		}
		slices.SortFunc(*of, func(a, b *class) int {
			return cmp.Or(cmp.Compare(b.size, a.size), cmp.Compare(a.info.Pod.Namespace, b.info.Pod.Namespace), cmp.Compare(a.names[0], b.names[0]))
		})
	}
	return waiting, moving
}

// placeAll tries until nothing changes: a pod may want to be near one that had no place yet.
func (s *simulation) placeAll(classes []*class) error {
	for progress := true; progress; {
		progress = false
		for _, c := range classes {
			if c.left == 0 {
				continue
			}
			before := c.left
			if err := s.place(c); err != nil {
				return err
			}
			progress = progress || c.left < before
		}
		progress = progress && slices.ContainsFunc(classes, func(c *class) bool { return c.left > 0 })
	}
	return nil
}

// place gives the pods of a class their nodes, and says why one has none.
func (s *simulation) place(c *class) error {
	pod := c.info.Pod
	if err := s.broken[pod]; err != nil {
		c.why = fmt.Sprintf("the scheduler cannot read it: %v", err)
		return nil
	}
	t, err := s.ask(c)
	if err != nil || t == nil {
		return err
	}
	for c.left > 0 {
		node, err := t.find()
		if err != nil {
			return err
		}
		if node == nil {
			if node = s.grow(t); node == nil {
				c.why = t.words()
				return nil
			}
			// The picture has one node more, which spreading counts.
			if t, err = s.ask(c); err != nil || t == nil {
				return err
			}
		}
		node.AddPodInfo(c.info)
		c.left--
		if t, err = t.placed(node); err != nil || t == nil {
			return err
		}
	}
	return nil
}
