package cli_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// What stands in the management cluster, and what a file would make of it with the class that stands there.
func TestEffectiveOfClustersThatAreThere(t *testing.T) {
	f := newFleet(t)
	class := &fleetwrightv1.WorkloadClusterClass{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: "v7"}}
	class.Spec.Template.Version = "v1.34.2"
	class.Spec.Template.Azure.Location = "westeurope"
	class.Spec.Template.Nodepools = []fleetwrightv1.WorkloadClusterNodepool{{Name: "system", Spec: fleetwrightv1.NodepoolTemplateSpec{Mode: "System", MachineType: "D4"}}}
	create(t, class)
	for name, ref := range map[string]string{"prod-eu-1": "v7", "lost": "v8"} {
		cluster := &fleetwrightv1.WorkloadCluster{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: name}}
		cluster.Spec.ClassRef.Name = ref
		create(t, cluster)
	}

	a := f.run("effective", "prod-eu-1", "--sources")
	a.expect(t, 0, a.out, "# WorkloadCluster "+f.namespace+"/prod-eu-1 of class "+f.namespace+"/v7, hash ", "  location: westeurope # class "+f.namespace+"/v7\n",
		"  resourceGroup: prod-eu-1 # default\n", "- name: system # class "+f.namespace+"/v7 nodepool\n")
	a = f.run("effective", "-f", f.write("cluster.yaml", `{apiVersion: fleetwright.io/v1alpha1, kind: WorkloadCluster, metadata: {name: new}, spec: {classRef: {name: v7}, version: v1.35.0}}`))
	a.expect(t, 0, a.out, "# WorkloadCluster "+f.namespace+"/new of class "+f.namespace+"/v7", "\nversion: v1.35.0\n")

	a = f.run("effective", "none")
	a.expect(t, 1, a.err, "error: there is no WorkloadCluster none in namespace "+f.namespace+": `kubectl get workloadclusters -A` lists all there are")
	a = f.run("effective", "lost")
	a.expect(t, 1, a.err, "error: WorkloadCluster "+f.namespace+"/lost points to WorkloadClusterClass "+f.namespace+"/v8, which is neither in the management cluster nor in the files: name one that is")
	a = f.run("__complete", "effective", "prod-eu-1", "")
	a.expect(t, 0, a.out, "lost\n")
}
