"""How the data of the tagger came to be: the weights of MusiCNN, and the mel bands of librosa."""
