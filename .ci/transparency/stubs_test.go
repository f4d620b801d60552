package transparency

func playPerson([]string) {}
func playFaulty([]string) {}
