"""Stories for people: of one position (`deck explain`), and of a whole run (`deck report`)."""
