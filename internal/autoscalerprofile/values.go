package autoscalerprofile

import (
	"math"
	"slices"
	"strconv"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Values are settings as Azure writes them, by their name in Azure: "10m", "20s", "0.5", "true". The JSON booleans are "true" and
// "false" here as well.
type Values map[string]string

// Of are the settings that are given.
func Of(s fleetwrightv1.AutoscalerSettings) Values {
	out := Values{}
	for _, f := range fields {
		if text := f.text(&s); text != "" {
			out[f.Key] = text
		}
	}
	return out
}

// Settings are the API's of Azure's. Names that no setting has are ignored; what a setting of the API could not say is left out, and
// its name is returned.
func Settings(values Values) (settings fleetwrightv1.AutoscalerSettings, unreadable []string) {
	for _, f := range fields {
		if text, found := values[f.Key]; found && !f.set(&settings, text) {
			unreadable = append(unreadable, f.Name)
		}
	}
	return settings, unreadable
}

// Differing are the names in Azure of those settings of wanted that found has not, or not with that meaning, in the API's order.
func Differing(wanted, found Values) []string {
	var out []string
	for _, f := range fields {
		want, given := wanted[f.Key]
		if got, has := found[f.Key]; given && (!has || !Same(f.Key, want, got)) {
			out = append(out, f.Key)
		}
	}
	return out
}

// Same is true when both texts of a setting mean the same: "0.5" and "0.50", "1m" and "60s".
func Same(key, a, b string) bool {
	f, known := FieldOf(key)
	return a == b || known && f.canonical(a) == f.canonical(b)
}

// JSON is the value of a setting as Azure takes it: a string, or a boolean.
func (f Field) JSON(text string) any {
	if f.Form == Boolean {
		return text == "true"
	}
	return text
}

// FromJSON reads a value of Azure's JSON; false is one that has neither form.
func FromJSON(value any) (text string, readable bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// Tree are values as JSON, by their names in Azure.
func Tree(values Values) map[string]any {
	out := map[string]any{}
	for key, text := range values {
		if f, known := FieldOf(key); known {
			out[key] = f.JSON(text)
		}
	}
	return out
}

// FromTree reads values from Azure's JSON, and nothing that is no setting.
func FromTree(tree map[string]any) Values {
	out := Values{}
	for key, value := range tree {
		if _, known := FieldOf(key); !known {
			continue
		}
		if text, readable := FromJSON(value); readable {
			out[key] = text
		}
	}
	return out
}

// text is the setting as Azure writes it, empty when it is not given.
func (f Field) text(s *fleetwrightv1.AutoscalerSettings) string {
	switch at := f.in(s).(type) {
	case *fleetwrightv1.AutoscalerExpander:
		return string(*at)
	case *fleetwrightv1.AutoscalerSwitch:
		switch *at {
		case fleetwrightv1.AutoscalerSwitchEnabled:
			return "true"
		case fleetwrightv1.AutoscalerSwitchDisabled:
			return "false"
		}
	case *int32:
		if *at != 0 {
			return f.write(*at)
		}
	case **int32:
		if *at != nil {
			return f.write(**at)
		}
	}
	return ""
}

// set puts a text of Azure's into its place; false is one that the API could not say.
func (f Field) set(s *fleetwrightv1.AutoscalerSettings, text string) bool {
	switch at := f.in(s).(type) {
	case *fleetwrightv1.AutoscalerExpander:
		if !slices.Contains(expanders, fleetwrightv1.AutoscalerExpander(text)) {
			return false
		}
		*at = fleetwrightv1.AutoscalerExpander(text)
		return true
	case *fleetwrightv1.AutoscalerSwitch:
		switch text {
		case "true":
			*at = fleetwrightv1.AutoscalerSwitchEnabled
		case "false":
			*at = fleetwrightv1.AutoscalerSwitchDisabled
		default:
			return false
		}
		return true
	case *int32:
		n, ok := f.number(text)
		if ok {
			*at = n
		}
		return ok
	case **int32:
		n, ok := f.number(text)
		if ok {
			*at = &n
		}
		return ok
	}
	return false
}

var expanders = []fleetwrightv1.AutoscalerExpander{
	fleetwrightv1.AutoscalerExpanderLeastWaste, fleetwrightv1.AutoscalerExpanderMostPods,
	fleetwrightv1.AutoscalerExpanderPriority, fleetwrightv1.AutoscalerExpanderRandom,
}

// write is a number of the API's unit as Azure writes it. Admission lets only whole minutes through where Azure counts minutes.
func (f Field) write(n int32) string {
	switch f.Form {
	case Seconds:
		return strconv.Itoa(int(n)) + "s"
	case Minutes:
		return strconv.Itoa(int(n)/60) + "m"
	case Fraction:
		return strconv.FormatFloat(float64(n)/perCent, 'f', -1, 64)
	default:
		return strconv.Itoa(int(n))
	}
}

// number reads what write wrote, and its like. It is false for what is none, or out of the API's bounds or between its steps.
func (f Field) number(text string) (int32, bool) {
	value, ok := f.read(text)
	if !ok || value != math.Trunc(value) || value < float64(f.Min) || value > float64(f.Max) || f.Form == Minutes && math.Mod(value, 60) != 0 {
		return 0, false
	}
	return int32(value), true
}

// read is a number in the API's unit, whatever its bounds.
func (f Field) read(text string) (float64, bool) {
	switch f.Form {
	case Seconds, Minutes:
		if d, err := time.ParseDuration(text); err == nil {
			return d.Seconds(), true
		}
		// AKS' text calls 10 the default of scan-interval, in seconds.
		n, err := strconv.Atoi(text)
		return float64(n), err == nil
	case Fraction:
		part, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(part) || math.IsInf(part, 0) {
			return 0, false
		}
		// To ten places: 0.29 times 100 is 28.999999999999996.
		return math.Round(part*perCent*1e10) / 1e10, true
	case Number:
		n, err := strconv.Atoi(text)
		return float64(n), err == nil
	default:
		return 0, false
	}
}

// canonical is one text for all that mean the same.
func (f Field) canonical(text string) string {
	if n, ok := f.read(text); ok {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return text
}
