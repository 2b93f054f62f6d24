# fish completion of infrarun: infrarun completion fish | source
complete -c infrarun -a '(infrarun __complete (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
