// Package ladder helps pods that cannot go while nodes are emptied with package drain, one rung after the other as the
// policy asks: it tells their owner, restarts a Deployment of one pod so that the new one is ready elsewhere first,
// scales a Deployment up by one where that lets its budget allow an eviction, and puts that back. When a deadline is
// over it gives the node up, or deletes the pod, if the policy says so by name.
//
// It works like package drain: [Observe] reads what the rungs that are due need, [Decide] turns that into steps without
// client, clock or memory, and [Act] takes one step with one write. The caller repeats the three calls at each look at
// the drain:
//
//	facts, err := ladder.Observe(ctx, client, id, plan, policy, now)
//	steps := ladder.Decide(plan, facts, policy, now)
//	for _, step := range steps {
//		err = errors.Join(err, ladder.Act(ctx, client, step, notifier))
//	}
//
// While [Outstanding] of the steps is not empty, the nodes must not be deleted: something is still to be put back.
// [PutBackAll] does that for a drain that is given up.
//
// Nothing is remembered. What was told stands in events under names that can be computed again, what was changed
// stands in labels and annotations on the changed object, and each write carries the version of what it was decided
// on, so that a crash, a second caller or somebody else's change lead to another look and never to a second write.
package ladder
