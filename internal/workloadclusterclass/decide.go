package workloadclusterclass

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/condition"
)

// named is how many clusters a message names.
const named = 3

// conditions are what is said about a class with these users.
func conditions(users []string, deleted bool) []metav1.Condition {
	inUse := condition.New(fleetwrightv1.ConditionInUse, metav1.ConditionFalse, fleetwrightv1.ReasonUnused, "no WorkloadCluster points to it")
	if len(users) > 0 {
		inUse = condition.New(fleetwrightv1.ConditionInUse, metav1.ConditionTrue, fleetwrightv1.ReasonReferenced, "%s", told(users))
	}
	return []metav1.Condition{inUse, condition.Deleting(deleted, fleetwrightv1.ReasonStillInUse, told(users)+": point them to another class")}
}

// told counts the users and names the first.
func told(users []string) string {
	slices.Sort(users)
	verb := fmt.Sprintf("%d WorkloadClusters point to it: ", len(users))
	if len(users) == 1 {
		verb = "1 WorkloadCluster points to it: "
	}
	if more := len(users) - named; more > 0 {
		return fmt.Sprintf("%s%s and %d more", verb, strings.Join(users[:named], ", "), more)
	}
	return verb + strings.Join(users, ", ")
}
