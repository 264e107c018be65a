package ladder

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ScaledUp is what LabelScaledUp says, and who did it.
type ScaledUp struct {
	// From and To are the numbers of pods before and after.
	From int32
	To   int32
	// Until is when anybody who finds the label puts back, whether or not the drain still lives.
	Until time.Time
	// Token stands for the drain's id, which is too long for a label.
	Token string
	// By is the id of the drain as AnnotationScaledUp has it, empty if it is lost or another's.
	By string
}

// NewScaledUp is a scale-up for the drain with the id.
func NewScaledUp(id string, from, to int32, until time.Time) ScaledUp {
	return ScaledUp{From: from, To: to, Until: until.UTC().Truncate(time.Second), Token: tokenOf(id), By: id}
}

// Label returns "2-3-1795608000-9f86d081884c7d65": the numbers, until when in seconds since 1970, and the drain's token.
func (s ScaledUp) Label() string {
	return fmt.Sprintf("%d-%d-%d-%s", s.From, s.To, s.Until.Unix(), s.Token)
}

// readScaledUp reads the label, and from the annotation who it was. It is false for a label that cannot be understood.
func readScaledUp(label, annotation string) (ScaledUp, bool) {
	parts := strings.Split(label, "-")
	if len(parts) != 4 || parts[3] == "" {
		return ScaledUp{}, false
	}
	numbers, ok := readNumbers(parts[:3])
	if !ok || numbers[0] < 0 || numbers[1] <= numbers[0] || numbers[1] > many {
		return ScaledUp{}, false
	}
	s := ScaledUp{From: int32(numbers[0]), To: int32(numbers[1]), Until: time.Unix(numbers[2], 0).UTC(), Token: parts[3]} // #nosec G115 -- bounded above
	if tokenOf(annotation) == s.Token {
		s.By = annotation
	}
	return s, true
}

func readNumbers(texts []string) ([]int64, bool) {
	var numbers []int64
	for _, text := range texts {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, false
		}
		numbers = append(numbers, n)
	}
	return numbers, true
}

func tokenOf(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:8])
}

func (s ScaledUp) yes() bool { return s.Token != "" }

func (s ScaledUp) is(id string) bool { return s.Token == tokenOf(id) }

// since is when it was done: it always lasts as long.
func (s ScaledUp) since() time.Time { return s.Until.Add(-scaledUpFor) }

// who names the drain for a sentence.
func (s ScaledUp) who() string {
	if s.By == "" {
		return "another drain"
	}
	return "drain " + s.By
}

func scaleUpPatch(d Deployment, up ScaledUp) string {
	return encode(object{
		"metadata": object{
			"resourceVersion": d.ResourceVersion,
			"labels":          object{LabelScaledUp: up.Label()},
			"annotations":     object{AnnotationScaledUp: up.By},
		},
		"spec": object{"replicas": up.To},
	})
}

// putBackPatch takes the marks off, and the pod too unless somebody else has set another number meanwhile.
func putBackPatch(d Deployment) string {
	patch := object{"metadata": object{
		"resourceVersion": d.ResourceVersion,
		"labels":          object{LabelScaledUp: nil},
		"annotations":     object{AnnotationScaledUp: nil},
	}}
	if d.Replicas == d.ScaledUp.To {
		patch["spec"] = object{"replicas": d.ScaledUp.From}
	}
	return encode(patch)
}
